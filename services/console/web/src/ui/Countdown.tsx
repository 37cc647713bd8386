import { useI18n } from '../i18n';
import { countdown } from '../logic/countdown';
import { dateTime } from '../logic/time';

/** Time left until a deadline, in tabular figures. Overdue and soon are said by sign and word, not by colour. */
export function Countdown({ dueMs, nowMs, large }: { dueMs: number; nowMs: number; large?: boolean }) {
  const { t } = useI18n();
  const c = countdown(dueMs, nowMs);
  const word = c.overdue ? t('clock.overdue') : c.soon ? t('clock.soon') : t('clock.left');
  return (
    <span
      className={`count ${c.overdue ? 'count-over' : ''} ${c.soon ? 'count-soon' : ''} ${large ? 'count-large' : ''}`}
      title={t('clock.dueAt', { time: dateTime(dueMs) })}
      data-testid="countdown"
      data-overdue={c.overdue}
    >
      <span className="count-figures">{c.text}</span>
      <span className="count-unit">{t(`unit.${c.unit}`)}</span>
      <span className={c.overdue || c.soon ? 'count-word' : 'sr'}>{word}</span>
    </span>
  );
}
