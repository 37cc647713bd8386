/** What has to be read again after an event, by the name of the record that changed. */
export type Subject = { kind: 'incident'; name: string } | { kind: 'notification'; name: string } | { kind: 'other' };

const INCIDENT = /^provinces\/\d{6}\/incidents\/[^/]+/;
const NOTIFICATION = /^provinces\/\d{6}\/notifications\/[^/]+/;

export function subjectOf(name: string): Subject {
  const incident = INCIDENT.exec(name);
  if (incident) return { kind: 'incident', name: incident[0] };
  const notification = NOTIFICATION.exec(name);
  if (notification) return { kind: 'notification', name: notification[0] };
  return { kind: 'other' };
}

/** Gathers what changed for a short while, so that a burst of events becomes one look at each record. */
export class Gatherer {
  private names = new Map<string, Subject>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private waitMs: number,
    private work: (subjects: Subject[]) => void,
  ) {}

  add(eventSubject: string): void {
    const subject = subjectOf(eventSubject);
    this.names.set(subject.kind === 'other' ? '*' : subject.name, subject);
    this.timer ??= setTimeout(() => this.flush(), this.waitMs);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.names.clear();
  }

  private flush(): void {
    this.timer = undefined;
    const subjects = [...this.names.values()];
    this.names.clear();
    this.work(subjects);
  }
}
