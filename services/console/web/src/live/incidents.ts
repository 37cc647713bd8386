import { Code, ConnectError } from '@connectrpc/connect';
import type { Clients } from '../api/clients';
import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { Store } from './store';

const PAGE = 200;

/** The incidents of the space: the list for the queue, and the whole record of each that is open on the desk. */
export class Incidents {
  readonly list = new Store<ReadonlyMap<string, Incident>>(new Map());
  readonly details = new Store<ReadonlyMap<string, Incident>>(new Map());
  readonly loaded = new Store(false);
  private watched = new Set<string>();

  constructor(
    private clients: Clients,
    private parent: string,
  ) {}

  async reload(): Promise<void> {
    const all = new Map<string, Incident>();
    let pageToken = '';
    do {
      const page = await this.clients.incidents.listIncidents({ parent: this.parent, pageSize: PAGE, pageToken });
      for (const incident of page.incidents) all.set(incident.name, incident);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    this.list.set(all);
    this.loaded.set(true);
    await this.refreshWatched();
  }

  /** Reads the incidents that are open on the desk again. */
  async refreshWatched(): Promise<void> {
    await Promise.all([...this.watched].map((name) => this.refresh(name)));
  }

  /** Reads one incident again. One that is gone, or outside the jurisdiction now, leaves the list. */
  async refresh(name: string): Promise<void> {
    try {
      const { incident } = await this.clients.incidents.getIncident({ name });
      if (incident) this.put(incident);
    } catch (error) {
      if (ConnectError.from(error).code === Code.NotFound) this.drop(name);
      else throw error;
    }
  }

  /** Takes over a whole incident, for example from the answer of a call. */
  put(incident: Incident): void {
    this.list.update((m) => new Map(m).set(incident.name, incident));
    if (this.watched.has(incident.name)) this.details.update((m) => new Map(m).set(incident.name, incident));
  }

  /** Keeps the whole record of an incident up to date until the returned function is called. */
  watch(name: string): () => void {
    this.watched.add(name);
    return () => {
      this.watched.delete(name);
      this.details.update((m) => without(m, name));
    };
  }

  private drop(name: string): void {
    this.list.update((m) => without(m, name));
    this.details.update((m) => without(m, name));
  }
}

function without<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  const next = new Map(map);
  next.delete(key);
  return next;
}
