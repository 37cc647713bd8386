import { useEffect, useMemo, useRef } from 'react';
import { go, useRoute } from '../app/route';
import { IncidentPanel } from '../incident/IncidentPanel';
import { useI18n } from '../i18n';
import { useKeys } from '../keys/keys';
import { useDesk } from '../live/context';
import { startSeen } from '../live/seen';
import { useStore } from '../live/store';
import { overdue, queueOf, unansweredOf } from '../logic/order';
import { MapPane } from '../map/MapPane';
import { NotificationView } from '../notification/NotificationView';
import { ReportForm } from '../report/ReportForm';
import { Queue } from './Queue';
import { Unanswered } from './Unanswered';
import { useFilter } from './filter';
import { useTitle } from './title';

/** Queue, map, incident: always in the same place. A form takes the place of the map. */
export function DeskPage() {
  const { t } = useI18n();
  const { live, node, space } = useDesk();
  const route = useRoute();
  const scope = `${node.provinceCode}|${space}`;
  const incidents = useStore(live.incidents.list);
  const loaded = useStore(live.incidents.loaded);
  const told = useStore(live.notifications.loaded);
  const notifications = useStore(live.notifications.list);
  const filter = useFilter();
  const search = useRef<HTMLInputElement>(null);

  const queue = useMemo(() => filter.apply(queueOf(incidents.values())), [incidents, filter]);
  const unanswered = useMemo(() => unansweredOf(notifications.values()), [notifications]);

  useEffect(() => {
    if (!loaded || !told) return;
    startSeen(scope, [
      ...[...incidents.values()].map((i): [string, string] => [i.name, i.etag]),
      ...[...notifications.values()].map((n): [string, string] => [n.name, n.etag]),
    ]);
  }, [loaded, told]);

  useTitle(queue.filter((i) => overdue(i, live.clock.now())).length, unanswered.length);

  const order = [...queue.map((i) => i.name), ...unanswered.map((n) => n.name)];
  const openName = route.centre === 'notification' ? route.notification : route.incident;
  const focused = () => (document.activeElement as HTMLElement | null)?.dataset['row'];
  const step = (by: number) => {
    const at = order.indexOf(focused() ?? openName);
    const next = order[Math.min(Math.max(at + by, 0), order.length - 1)];
    const row = next === undefined ? null : document.querySelector<HTMLElement>(`[data-row="${CSS.escape(next)}"]`);
    row?.focus();
  };
  useKeys([
    { key: 'j', label: 'key.next', run: () => step(1) },
    { key: 'k', label: 'key.previous', run: () => step(-1) },
    { key: '/', label: 'key.search', run: () => search.current?.focus() },
    { key: 'Escape', label: 'key.back', run: () => go({ centre: 'map', notification: '' }) },
  ]);

  return (
    <main className={`desk ${route.incident ? 'desk-open' : ''} desk-${route.centre}`} data-testid="desk">
      <h1 className="sr">{t('signIn.title')}</h1>
      <aside className="desk-left" aria-label={t('desk.lists')}>
        <Queue
          incidents={queue}
          notifications={notifications}
          scope={scope}
          open={route.incident}
          search={search}
          filter={filter}
          loaded={loaded}
        />
        <Unanswered notifications={unanswered} scope={scope} open={route.notification} />
      </aside>
      <section className="desk-centre" data-testid="centre">
        {route.centre === 'report' && <ReportForm key={route.notification || 'report'} fromNotification={route.notification} />}
        {route.centre === 'notification' && <NotificationView key={route.notification} name={route.notification} />}
        {/* The map stays: to draw it anew after each form would take a second. */}
        <div className="centre-map" hidden={route.centre !== 'map'}>
          <MapPane incidents={queue} hidden={route.centre !== 'map'} />
        </div>
      </section>
      <aside className="desk-right" data-testid="right" aria-label={t('desk.incident')}>
        <IncidentPanel key={route.incident} name={route.incident} />
      </aside>
    </main>
  );
}
