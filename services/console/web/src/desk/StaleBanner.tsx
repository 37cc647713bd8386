import { useI18n } from '../i18n';
import { useWallNow } from '../live/clock';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import { age } from '../logic/countdown';
import { clockTimeSeconds } from '../logic/time';

/** While the server is not heard: since when, how old what is shown is, and that drafts are safe. */
export function StaleBanner() {
  const { t } = useI18n();
  const { live } = useDesk();
  const link = useStore(live.link);
  const now = useWallNow();
  if (link.state !== 'down') return null;
  const old = age(link.heard, now);
  return (
    <div className="stale-banner" role="status" data-testid="stale-banner">
      <strong>✕ {t('link.lost', { time: clockTimeSeconds(link.since) })}</strong>{' '}
      <span className="num">{t('link.age', { time: clockTimeSeconds(link.heard), age: old.text, unit: t(`unit.${old.unit}`) })}</span>{' '}
      {t('link.keeps')}
    </div>
  );
}
