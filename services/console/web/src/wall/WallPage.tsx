import { useMemo } from 'react';
import { useI18n, type MessageKey } from '../i18n';
import { useKeys } from '../keys/keys';
import { go } from '../app/route';
import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { bodyName } from '../incident/bodies';
import { useDesk, useSpaceNow } from '../live/context';
import { useStore } from '../live/store';
import { divisionName } from '../logic/districts';
import { nextClock, queueOf, unansweredOf } from '../logic/order';
import { promptness } from '../logic/promptness';
import { ms } from '../logic/time';
import { MapPane } from '../map/MapPane';
import { Countdown } from '../ui/Countdown';
import { GradeBadge, gradeOf } from '../ui/Grade';

const SHOWN = 8;

/** For a screen on the wall: map, clocks and grades, large, and nothing to press. */
export function WallPage() {
  const { t } = useI18n();
  const { live } = useDesk();
  const incidents = useStore(live.incidents.list);
  const notifications = useStore(live.notifications.list);
  const queue = useMemo(() => queueOf(incidents.values()), [incidents]);
  const unanswered = unansweredOf(notifications.values()).length;
  useKeys([{ key: 'Escape', label: 'key.back', run: () => go({ page: 'desk' }) }]);
  return (
    <main className="wall" data-testid="wall">
      <h1 className="sr">{t('nav.wall')}</h1>
      <MapPane incidents={queue} bare />
      <section className="wall-side">
        <h2>
          {t('queue.title')} <span className="num">{queue.length}</span> · {t('unanswered.title')}{' '}
          <span className="num" data-testid="wall-unanswered">
            {unanswered}
          </span>
        </h2>
        <ol>
          {queue.slice(0, SHOWN).map((i) => (
            <WallRow key={i.name} incident={i} />
          ))}
        </ol>
        {queue.length > SHOWN && <p className="num">{t('wall.more', { n: queue.length - SHOWN })}</p>}
        {queue.length === 0 && <p>{t('queue.empty')}</p>}
      </section>
    </main>
  );
}

function WallRow({ incident }: { incident: Incident }) {
  const i18n = useI18n();
  const { t, lang } = i18n;
  const now = useSpaceNow();
  const clock = nextClock(incident);
  const due = ms(clock?.dueTime);
  return (
    <li className="wall-row" data-testid="wall-row" data-name={incident.name}>
      <GradeBadge {...gradeOf(incident)} large />
      <span>
        <strong>{divisionName(incident.place?.adminCode ?? '', lang)}</strong> {incident.title}
        <br />
        {clock && (due !== undefined ? <Countdown dueMs={due} nowMs={now} large /> : <strong>{t(promptness(clock))}</strong>)}{' '}
        {clock && (
          <span className="faint">
            {bodyName(clock, i18n)} · {t(`duty.${clock.duty}` as MessageKey)}
          </span>
        )}
      </span>
    </li>
  );
}
