import { Code, ConnectError } from '@connectrpc/connect';
import type { Clients } from '../api/clients';
import type { NotificationRecord } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { Store } from './store';

const PAGE = 200;

/** The notifications of the space, both directions, newest first as the server lists them. */
export class Notifications {
  readonly list = new Store<ReadonlyMap<string, NotificationRecord>>(new Map());
  readonly loaded = new Store(false);

  constructor(
    private clients: Clients,
    private parent: string,
  ) {}

  async reload(): Promise<void> {
    const all = new Map<string, NotificationRecord>();
    let pageToken = '';
    do {
      const page = await this.clients.notifications.listNotifications({ parent: this.parent, pageSize: PAGE, pageToken });
      for (const record of page.notifications) all.set(record.name, record);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    this.list.set(all);
    this.loaded.set(true);
  }

  async refresh(name: string): Promise<void> {
    try {
      const { notification } = await this.clients.notifications.getNotification({ name });
      if (notification) this.put(notification);
    } catch (error) {
      if (ConnectError.from(error).code !== Code.NotFound) throw error;
      this.list.update((m) => {
        const next = new Map(m);
        next.delete(name);
        return next;
      });
    }
  }

  put(record: NotificationRecord): void {
    this.list.update((m) => new Map(m).set(record.name, record));
  }
}
