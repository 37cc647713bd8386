import type { Clients } from '../api/clients';
import type { Partner } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { Store } from './store';
import { keepStream } from './stream';

/** The partner provinces and the state of each link. */
export class Partners {
  readonly list = new Store<readonly Partner[]>([]);

  constructor(private clients: Clients) {}

  /** Follows the links until the returned function is called. */
  start(): () => void {
    return keepStream(
      (signal) => this.clients.partners.watchPartners({}, { signal }),
      {
        message: ({ partner }) => partner && this.put(partner),
        up: () => undefined,
        down: () => undefined,
      },
      null,
    );
  }

  put(partner: Partner): void {
    this.list.update((all) =>
      [...all.filter((p) => p.name !== partner.name), partner].sort((a, b) => (a.provinceCode < b.provinceCode ? -1 : 1)),
    );
  }
}
