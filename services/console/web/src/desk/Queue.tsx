import type { RefObject } from 'react';
import { go } from '../app/route';
import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import type { NotificationRecord } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { useI18n } from '../i18n';
import { unanswered } from '../logic/order';
import { Button } from '../ui/Button';
import { Kbd } from '../ui/Kbd';
import type { Filter } from './filter';
import { QueueItem } from './QueueItem';

interface Props {
  incidents: readonly Incident[];
  notifications: ReadonlyMap<string, NotificationRecord>;
  scope: string;
  open: string;
  search: RefObject<HTMLInputElement | null>;
  filter: Filter;
  loaded: boolean;
}

/** What runs out next: open incidents by the next statutory deadline. */
export function Queue({ incidents, notifications, scope, open, search, filter, loaded }: Props) {
  const { t } = useI18n();
  const waiting = new Map<string, number>();
  for (const n of notifications.values()) {
    if (unanswered(n)) waiting.set(n.incident, (waiting.get(n.incident) ?? 0) + 1);
  }
  const onSearchKey = (e: React.KeyboardEvent) => {
    if (e.key === 'Escape') {
      filter.set('');
      search.current?.blur();
    } else if (e.key === 'Enter' && incidents[0]) go({ incident: incidents[0].name });
  };
  return (
    <section className="queue" aria-label={t('queue.title')} data-testid="queue">
      <header className="queue-head">
        <h2>
          {t('queue.title')} <span className="num faint">{incidents.length}</span>
        </h2>
        <Button
          label={t('report.take')}
          hint="n"
          tone="main"
          testId="take-report"
          onClick={() => go({ page: 'desk', centre: 'report', notification: '' })}
        />
      </header>
      <label className="search">
        <span className="sr">{t('queue.search')}</span>
        <input
          ref={search}
          type="search"
          value={filter.text}
          placeholder={t('queue.search')}
          data-testid="search"
          onChange={(e) => filter.set(e.target.value)}
          onKeyDown={onSearchKey}
        />
        <Kbd>/</Kbd>
      </label>
      <ol className="rows" data-testid="queue-list">
        {incidents.map((i) => (
          <QueueItem key={i.name} incident={i} open={i.name === open} waiting={waiting.get(i.name) ?? 0} scope={scope} />
        ))}
      </ol>
      {loaded && incidents.length === 0 && (
        <p className="empty" data-testid="queue-empty">
          {filter.text ? t('queue.noneFound') : t('queue.empty')}
        </p>
      )}
    </section>
  );
}
