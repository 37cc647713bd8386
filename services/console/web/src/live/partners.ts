import type { Clients } from '../api/clients';
import type { Partner } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { Store } from './store';

// What no signal tells: a partner that another desk has enrolled, or when it was last heard.
const LOOK_EVERY_MS = 15_000;
const MOST = 200;

/** The partner provinces and the state of each link. */
export class Partners {
  readonly list = new Store<readonly Partner[]>([]);
  private reading: Promise<void> | null = null;
  private again = false;

  constructor(private clients: Clients) {}

  /** Looks now and then until the returned function is called; a change is told by `reload`. */
  start(): () => void {
    void this.reload();
    const timer = setInterval(() => void this.reload(), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }

  /** Reads all again. Asked for while it reads, it reads once more afterwards: the answer on its way may be too old. */
  async reload(): Promise<void> {
    if (this.reading) {
      this.again = true;
      return this.reading;
    }
    this.reading = this.read();
    await this.reading;
    this.reading = null;
    if (this.again) {
      this.again = false;
      await this.reload();
    }
  }

  put(partner: Partner): void {
    this.list.update((all) => sorted([...all.filter((p) => p.name !== partner.name), partner]));
  }

  private async read(): Promise<void> {
    try {
      const { partners } = await this.clients.partners.listPartners({ pageSize: MOST });
      this.list.set(sorted(partners));
    } catch {
      // What was read last stays; that the server cannot be reached, the bar says.
    }
  }
}

const sorted = (all: readonly Partner[]): readonly Partner[] => [...all].sort((a, b) => (a.provinceCode < b.provinceCode ? -1 : 1));
