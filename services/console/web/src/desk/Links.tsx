import { go } from '../app/route';
import { LinkState, type Partner } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { useI18n, type MessageKey } from '../i18n';
import { useWallNow } from '../live/clock';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import { age } from '../logic/countdown';
import { databaseGone } from '../logic/conditions';
import { divisionName } from '../logic/districts';
import { clockTimeSeconds, dateTime, ms } from '../logic/time';

const SHAPE: Record<LinkState, string> = {
  [LinkState.UNSPECIFIED]: '○',
  [LinkState.UP]: '●',
  [LinkState.DOWN]: '✕',
  [LinkState.DIVERGED]: '⚠',
  [LinkState.NONE]: '✉',
};

/** The link between this page and its server. */
export function ServerLink() {
  const { t } = useI18n();
  const { live } = useDesk();
  const link = useStore(live.link);
  const { conditions, heard } = useStore(live.conditions.wrong);
  const gone = link.state === 'down' && heard ? databaseGone(conditions) : undefined;
  const shape = link.state === 'up' ? '●' : link.state === 'down' ? '✕' : '○';
  return (
    <span
      className={`link ${link.state === 'down' ? 'link-down' : ''}`}
      data-testid="server-link"
      data-state={link.state}
      title={t('link.since', { time: clockTimeSeconds(link.since) })}
    >
      <span aria-hidden="true">{shape}</span> {gone ? t('link.database') : t('link.server')} {t(`link.${link.state}`)}
    </span>
  );
}

/** A link for each partner province. A link that is down says since when, and what waits. */
export function PartnerLinks() {
  const { live } = useDesk();
  const partners = useStore(live.partners.list);
  return (
    <>
      {partners.map((p) => (
        <PartnerLink key={p.name} partner={p} />
      ))}
    </>
  );
}

function PartnerLink({ partner }: { partner: Partner }) {
  const { t, lang } = useI18n();
  const now = useWallNow();
  const since = ms(partner.linkSinceTime);
  const bad = partner.linkState === LinkState.DOWN || partner.linkState === LinkState.DIVERGED;
  const down = bad && since !== undefined ? age(since, now) : null;
  const name = lang === 'zh' ? partner.displayName.replace(/[省市]$/, '') : divisionName(partner.provinceCode, 'en');
  return (
    <button
      type="button"
      className={`link ${bad ? 'link-down' : ''}`}
      data-testid={`partner-link-${partner.provinceCode}`}
      data-state={LinkState[partner.linkState]}
      title={[since ? t('link.since', { time: dateTime(since) }) : '', partner.lastError].filter(Boolean).join('\n')}
      onClick={() => go({ page: 'partners' })}
    >
      <span aria-hidden="true">{SHAPE[partner.linkState]}</span> {name} {t(`linkState.${partner.linkState}` as MessageKey)}
      {down && <span className="num"> {down.text}</span>}
      {partner.undeliveredCount > 0 && <span className="num"> {t('link.waiting', { n: partner.undeliveredCount })}</span>}
    </button>
  );
}
