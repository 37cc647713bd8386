import { ClockState, DutyKind, IncidentState, type Clock, type Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { Direction, NotificationState, type NotificationRecord } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { ms } from './time';

/** A clock that somebody still has to deal with: running, or missed and not made up for. */
export function pending(clock: Clock): boolean {
  return clock.state === ClockState.RUNNING || (clock.state === ClockState.MISSED && !clock.keepTime);
}

/** What presses next: overdue ones first, oldest deadline first, then what is to be done promptly. What may be done at any time does not press. */
export function nextClock(incident: Incident): Clock | undefined {
  const presses = incident.clocks.filter((c) => pending(c) && (c.dueTime !== undefined || standing(c) === 0));
  return presses.sort((a, b) => due(a) - due(b))[0];
}

/** Clocks as the panel shows them: by deadline, then what is to be done promptly, then the rest; what is settled last. */
export function clocksInOrder(clocks: readonly Clock[]): Clock[] {
  const rank = (c: Clock) => (pending(c) ? standing(c) : c.state === ClockState.NOT_STARTED ? 2 : 3);
  const at = (c: Clock) => (pending(c) ? due(c) : 0);
  return [...clocks].sort((a, b) => Number(!pending(a)) - Number(!pending(b)) || at(a) - at(b) || rank(a) - rank(b));
}

/** A clock of it has run out and nobody has dealt with it. */
export function overdue(incident: Incident, nowMs: number): boolean {
  return incident.clocks.some((c) => pending(c) && (c.state === ClockState.MISSED || due(c) < nowMs));
}

// What may be done at any time, or only after everything else, comes after what is to be done promptly.
const standing = (clock: Clock): number => (clock.duty === DutyKind.OTHER ? 1 : 0);

const due = (clock: Clock): number => ms(clock.dueTime) ?? Number.MAX_SAFE_INTEGER;

const rank = (incident: Incident): number => {
  const clock = nextClock(incident);
  return clock ? due(clock) : Number.MAX_SAFE_INTEGER;
};

/** Open incidents by the next statutory deadline; without one, the latest to be learned of first. */
export function queueOf(incidents: Iterable<Incident>): Incident[] {
  return [...incidents]
    .filter((i) => i.state !== IncidentState.CLOSED)
    .sort((a, b) => rank(a) - rank(b) || (ms(b.learnTime) ?? 0) - (ms(a.learnTime) ?? 0) || (a.name < b.name ? -1 : 1));
}

/** Waits for a person: one here (incoming) or one over there (outgoing). */
export function unanswered(n: NotificationRecord): boolean {
  if (n.acknowledgement) return false;
  if (n.direction === Direction.INCOMING) return n.state !== NotificationState.REFUSED;
  return n.state === NotificationState.APPROVED || n.state === NotificationState.DELIVERED || n.state === NotificationState.REFUSED;
}

/** What nobody has answered: what waits for us first, then by when it is missed. */
export function unansweredOf(notifications: Iterable<NotificationRecord>): NotificationRecord[] {
  const missed = (n: NotificationRecord) => ms(n.acknowledgeDueTime) ?? Number.MAX_SAFE_INTEGER;
  const own = (n: NotificationRecord) => (n.direction === Direction.INCOMING ? 0 : 1);
  return [...notifications].filter(unanswered).sort((a, b) => own(a) - own(b) || missed(a) - missed(b) || (a.name < b.name ? -1 : 1));
}
