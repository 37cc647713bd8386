import { useI18n } from '../i18n';
import { useWallNow } from '../live/clock';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import { age } from '../logic/countdown';
import { databaseGone } from '../logic/conditions';
import { clockTimeSeconds, ms } from '../logic/time';

/** While the server is not heard: since when, how old what is shown is, and that drafts are safe. */
export function StaleBanner() {
  const { t } = useI18n();
  const { live } = useDesk();
  const link = useStore(live.link);
  const { conditions, heard } = useStore(live.conditions.wrong);
  const now = useWallNow();
  if (link.state !== 'down') return null;
  const old = age(link.heard, now);
  // The server answers and its database does not: not the line is down.
  const gone = heard ? databaseGone(conditions) : undefined;
  const since = clockTimeSeconds(ms(gone?.sinceTime) ?? link.since);
  return (
    <div className="stale-banner" role="status" data-testid="stale-banner" data-cause={gone ? 'database' : 'server'}>
      <strong>✕ {t(gone ? 'link.databaseLost' : 'link.lost', { time: since })}</strong>{' '}
      <span className="num">{t('link.age', { time: clockTimeSeconds(link.heard), age: old.text, unit: t(`unit.${old.unit}`) })}</span>{' '}
      {t('link.keeps')}
    </div>
  );
}
