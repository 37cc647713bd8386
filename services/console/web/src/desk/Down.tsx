import { useI18n } from '../i18n';
import { useWallNow } from '../live/clock';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import { age } from '../logic/countdown';
import { Severity } from '../gen/proto/fenghuo/operation/v1/operation_pb';
import { heading, SHAPE } from '../logic/conditions';
import { dateTime, ms } from '../logic/time';
import { Kbd } from '../ui/Kbd';

/** What is cut off, always in the same place: the gravest in words and since when; all of them behind a key. */
export function Down({ onOpen }: { onOpen: () => void }) {
  const { t, pick } = useI18n();
  const { live } = useDesk();
  const link = useStore(live.link);
  const { conditions, heard } = useStore(live.conditions.wrong);
  const now = useWallNow();
  const worst = conditions[0];
  // A server that is not heard at all is told by its own place beside this; what it said last stays, as old as it is.
  const lost = link.state === 'down' && !heard;
  const since = ms(worst?.sinceTime);
  const old = since === undefined ? null : age(since, now);
  const text = worst ? pick(worst.textZh, worst.textEn) : lost ? t('down.serverLost') : t('down.none');
  const severity = worst?.severity ?? (lost ? Severity.CRITICAL : Severity.UNSPECIFIED);
  const words = heading(text);
  return (
    <>
      <button
        type="button"
        className={`link down down-${severity}`}
        data-testid="down"
        data-code={worst?.code ?? (lost ? 'SERVER_LOST' : '')}
        data-count={conditions.length}
        title={[text, since === undefined ? '' : t('link.since', { time: dateTime(since) })].filter(Boolean).join('\n')}
        onClick={onOpen}
      >
        <span aria-hidden="true">{SHAPE[severity]}</span> {words}
        {old && (
          <span className="num">
            {' '}
            {old.text} {t(`unit.${old.unit}`)}
          </span>
        )}
        {conditions.length > 1 && <span className="num"> {t('down.more', { n: conditions.length - 1 })}</span>}
        <Kbd>x</Kbd>
      </button>
      {/* Said once when it changes, without the seconds that run. */}
      <span className="sr" role="status" data-testid="down-said">
        {severity === Severity.UNSPECIFIED ? words : `${t(`down.severity.${severity}` as 'down.severity.3')} ${words}`}
      </span>
    </>
  );
}
