import type { Clients } from '../api/clients';
import type { WatchEventsResponse } from '../gen/proto/fenghuo/audit/v1/audit_pb';
import { ms } from '../logic/time';
import { SpaceClock, tick } from './clock';
import { Conditions } from './conditions';
import { Incidents } from './incidents';
import { Notifications } from './notifications';
import { Partners } from './partners';
import { Store } from './store';
import { keepStream } from './stream';
import { Gatherer, type Subject } from './subjects';

/** The link to the server. `since` is this machine's time. */
export interface Link {
  state: 'connecting' | 'up' | 'down';
  since: number;
  /** When something was last heard; what is shown is as old as that. */
  heard: number;
}

// The server's heartbeat comes every few seconds; three missed ones are a lost link.
const SILENCE_MS = 15_000;
const GATHER_MS = 80;
const MANY = 25;
const ONLY_NEW = 0xffff_ffff_ffff_ffffn;

/**
 * What a desk follows in one space. Over HTTP/1.1 a browser opens six connections to a server and no more, for all its windows
 * together; so one stream of events tells what changed and the records are read again, instead of one stream for each kind.
 */
export class Live {
  readonly clock = new SpaceClock();
  readonly link = new Store<Link>({ state: 'connecting', since: Date.now(), heard: Date.now() });
  readonly incidents: Incidents;
  readonly notifications: Notifications;
  readonly partners: Partners;
  readonly conditions: Conditions;
  private gatherer = new Gatherer(GATHER_MS, (subjects) => void this.refresh(subjects));
  private rate = 1;
  private failed = false;

  constructor(
    private clients: Clients,
    province: string,
  ) {
    const parent = `provinces/${province}`;
    this.incidents = new Incidents(clients, parent);
    this.notifications = new Notifications(clients, parent);
    this.partners = new Partners(clients);
    this.conditions = new Conditions(clients, () => void this.partners.reload());
  }

  /** Connects, and stays connected while the page can be seen: a hidden window gives its connections to those in use. */
  start(): () => void {
    let stop: (() => void) | null = null;
    const follow = () => {
      if (document.visibilityState === 'hidden') {
        stop?.();
        stop = null;
      } else stop ??= this.connect();
    };
    document.addEventListener('visibilitychange', follow);
    follow();
    return () => {
      document.removeEventListener('visibilitychange', follow);
      stop?.();
      this.gatherer.stop();
    };
  }

  /** Reads everything again. */
  async reload(): Promise<void> {
    await this.attempt(() => Promise.all([this.incidents.reload(), this.notifications.reload()]));
  }

  setRate(rate: number): void {
    this.rate = rate;
    this.clock.setRate(rate);
  }

  private connect(): () => void {
    void this.reload();
    const stopEvents = keepStream(
      (signal) => this.clients.audit.watchEvents({ afterSequence: ONLY_NEW }, { signal }),
      { message: (m) => this.hear(m), up: () => this.up(), down: () => this.down() },
      SILENCE_MS,
    );
    const stopPartners = this.partners.start();
    const stopConditions = this.conditions.start();
    return () => {
      stopEvents();
      stopPartners();
      stopConditions();
    };
  }

  private hear(message: WatchEventsResponse): void {
    const space = ms(message.spaceTime);
    if (space !== undefined) {
      const jumped = Math.abs(space - this.clock.now()) > 1500;
      this.clock.set(space, this.rate);
      if (jumped) tick();
    }
    if (message.event) this.gatherer.add(message.event.subject);
    this.link.update((l) => ({ ...l, heard: Date.now() }));
    if (this.failed) void this.reload();
  }

  private up(): void {
    this.link.set({ state: 'up', since: Date.now(), heard: Date.now() });
    // Between the first reading and the start of the stream something may have happened.
    void this.reload();
  }

  private down(): void {
    this.link.update((l) => (l.state === 'down' ? l : { state: 'down', since: Date.now(), heard: l.heard }));
  }

  private async refresh(subjects: Subject[]): Promise<void> {
    const unclear = subjects.length > MANY || subjects.some((s) => s.kind === 'other');
    const notified = subjects.some((s) => s.kind === 'notification');
    // How many wait for a partner changes with each notification.
    if (unclear || notified) void this.partners.reload();
    if (unclear) return this.reload();
    await this.attempt(() =>
      Promise.all([
        ...subjects.map((s) => (s.kind === 'incident' ? this.incidents.refresh(s.name) : undefined)),
        ...subjects.map((s) => (s.kind === 'notification' ? this.notifications.refresh(s.name) : undefined)),
        notified && !subjects.some((s) => s.kind === 'incident') ? this.incidents.refreshWatched() : undefined,
      ]),
    );
  }

  // A reading that failed is made up for when the server is next heard.
  private async attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      this.failed = false;
      await work();
    } catch {
      this.failed = true;
    }
  }
}
