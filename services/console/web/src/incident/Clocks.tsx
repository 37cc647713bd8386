import { ClockState, DutyKind, type Clock, type Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n, type MessageKey } from '../i18n';
import { useSpaceNow } from '../live/context';
import { clocksInOrder, pending } from '../logic/order';
import { promptness } from '../logic/promptness';
import { ms, shortTime } from '../logic/time';
import { Button } from '../ui/Button';
import { Countdown } from '../ui/Countdown';
import { Section } from '../ui/Section';
import type { Action } from './Actions';
import { bodyName } from './bodies';

const SHAPE: Record<ClockState, string> = {
  [ClockState.UNSPECIFIED]: '',
  [ClockState.NOT_STARTED]: '○',
  [ClockState.RUNNING]: '◔',
  [ClockState.KEPT]: '✓',
  [ClockState.MISSED]: '✕',
  [ClockState.SUPERSEDED]: '↷',
  [ClockState.NOT_APPLICABLE]: '–',
};

interface Props {
  incident: Incident;
  onAction: (action: Action) => void;
}

/** Every statutory clock: whom it obliges, to what, by which clause, and how it stands. */
export function Clocks({ incident, onAction }: Props) {
  const { t } = useI18n();
  const running = incident.clocks.filter(pending).length;
  return (
    <Section title={t('clocks.title')} count={running} testId="clocks">
      <ul className="clocks">
        {clocksInOrder(incident.clocks).map((c) => (
          <ClockRow key={c.name} clock={c} onAction={onAction} />
        ))}
      </ul>
      {incident.clocks.length === 0 && <p className="empty">{t('clocks.none')}</p>}
    </Section>
  );
}

function ClockRow({ clock, onAction }: { clock: Clock; onAction: (action: Action) => void }) {
  const i18n = useI18n();
  const { t, pick } = i18n;
  const now = useSpaceNow();
  const due = ms(clock.dueTime);
  const kept = ms(clock.keepTime);
  const start = ms(clock.startTime);
  const live = pending(clock);
  const byHand = clock.duty === DutyKind.VERIFY || clock.duty === DutyKind.PROPOSE_TO_GOVERNMENT || clock.duty === DutyKind.OTHER;
  return (
    <li
      className={`clock ${live ? '' : 'clock-done'} ${clock.state === ClockState.MISSED ? 'clock-missed' : ''}`}
      data-testid="clock"
      data-name={clock.name}
      data-state={ClockState[clock.state]}
      data-row-id={clock.row}
      data-body={clock.bodyCode}
    >
      <span className="clock-time">
        {live && due !== undefined ? (
          <Countdown dueMs={due} nowMs={now} large />
        ) : live ? (
          <strong className="count count-large">{t(promptness(clock))}</strong>
        ) : (
          <span className="count" data-testid="clock-state">
            <span aria-hidden="true">{SHAPE[clock.state]}</span> {t(`clockState.${clock.state}` as MessageKey)}
          </span>
        )}
      </span>
      <span className="clock-what">
        <span>
          <strong>{bodyName(clock, i18n)}</strong> {clock.duty !== DutyKind.OTHER && t(`duty.${clock.duty}` as MessageKey)}
          {clock.duty === DutyKind.OTHER && <span className="faint"> {pick(clock.citationZh, clock.citationEn)}</span>}
          {pick(clock.recipientsZh, clock.recipientsEn) && <> → {pick(clock.recipientsZh, clock.recipientsEn)}</>}
        </span>
        <span className="clock-times">
          <span className="faint num">
            {start !== undefined ? t('clock.from', { time: shortTime(start, now) }) : t('clock.notStarted')}
            {due !== undefined && <> · {t('clock.dueAt', { time: shortTime(due, now) })}</>}
            {kept !== undefined && <> · {t('clock.keptAt', { time: shortTime(kept, now) })}</>}
            {clock.state === ClockState.MISSED && live && <> · ✕ {t('clockState.4')}</>}
          </span>
          <details className="why">
            <summary>{t('common.why')}</summary>
            <p>{pick(clock.citationZh, clock.citationEn)}</p>
            <p className="faint mono">{clock.row}</p>
            {clock.keptBy && <p className="faint">{clock.keptBy}</p>}
            {clock.ground && <p>{clock.ground}</p>}
          </details>
        </span>
      </span>
      <span className="clock-do">
        {clock.state === ClockState.NOT_STARTED && (
          <Button
            label={t('action.learned')}
            tone="quiet"
            testId="clock-learned"
            onClick={() => onAction({ kind: 'learned', code: clock.bodyCode })}
          />
        )}
        {live && byHand && (
          <Button label={t('action.duty')} tone="quiet" testId="clock-duty" onClick={() => onAction({ kind: 'duty', clock: clock.name })} />
        )}
        {live && (clock.duty === DutyKind.REPORT || clock.duty === DutyKind.OTHER) && (
          <Button
            label={t('action.upward')}
            tone="quiet"
            testId="clock-upward"
            onClick={() => onAction({ kind: 'upward', code: clock.bodyCode })}
          />
        )}
        {live && clock.duty === DutyKind.NOTIFY_NEIGHBOUR && (
          <Button label={t('action.draft')} tone="quiet" testId="clock-draft" onClick={() => onAction({ kind: 'draft' })} />
        )}
      </span>
    </li>
  );
}
