import { memo } from 'react';
import { go } from '../app/route';
import { ClockState, type Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n, type MessageKey } from '../i18n';
import { bodyName } from '../incident/bodies';
import { useSpaceNow } from '../live/context';
import { useSeen } from '../live/seen';
import { divisionName } from '../logic/districts';
import { nextClock } from '../logic/order';
import { promptness } from '../logic/promptness';
import { ms } from '../logic/time';
import { Countdown } from '../ui/Countdown';
import { GradeBadge, gradeOf } from '../ui/Grade';

interface Props {
  incident: Incident;
  open: boolean;
  waiting: number;
  scope: string;
}

/** An incident in two lines: place and what; grade, the clock that runs out next with whom it obliges, what is unanswered. */
export const QueueItem = memo(function QueueItem({ incident, open, waiting, scope }: Props) {
  const i18n = useI18n();
  const { t, lang } = i18n;
  const now = useSpaceNow();
  const mark = useSeen(scope).mark(incident.name, incident.etag);
  const clock = nextClock(incident);
  const due = ms(clock?.dueTime);
  const overdue = clock !== undefined && (clock.state === ClockState.MISSED || (due !== undefined && due < now));
  const place = divisionName(incident.place?.adminCode ?? '', lang);
  const { grade, state } = gradeOf(incident);
  return (
    <li className={`row-item ${overdue ? 'row-over' : ''}`}>
      <button
        type="button"
        className="row-button"
        aria-current={open ? 'true' : undefined}
        data-row={incident.name}
        data-testid="queue-item"
        data-name={incident.name}
        onClick={() => go({ page: 'desk', incident: incident.name })}
      >
        <GradeBadge grade={grade} state={state} />
        <span className="row-lines">
          <span className="row-one">
            {mark && (
              <span className="mark" data-testid="mark">
                {t(`mark.${mark}`)}
              </span>
            )}
            <strong>{place}</strong> {incident.title}
          </span>
          <span className="row-two">
            {clock ? (
              <>
                {due !== undefined ? <Countdown dueMs={due} nowMs={now} /> : <span className="count">{t(promptness(clock))}</span>}
                <span className="row-body">
                  {t(`duty.${clock.duty}` as MessageKey)} · {bodyName(clock, i18n)}
                </span>
              </>
            ) : (
              <span className="faint">{t('queue.noClock')}</span>
            )}
            {waiting > 0 && (
              <span className="row-waiting" data-testid="queue-unanswered" title={t('queue.unanswered', { n: waiting })}>
                <span aria-hidden="true">✉ {waiting}</span>
                <span className="sr">{t('queue.unanswered', { n: waiting })}</span>
              </span>
            )}
          </span>
        </span>
      </button>
    </li>
  );
});
