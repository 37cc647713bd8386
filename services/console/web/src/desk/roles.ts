import { Role, type Person } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import { ms } from '../logic/time';

/** Grants in force at a time. */
export function inForce(person: Person, nowMs: number) {
  return person.grants.filter((g) => (ms(g.startTime) ?? 0) <= nowMs && nowMs < (ms(g.endTime) ?? Number.MAX_SAFE_INTEGER));
}

// Who only reads comes last: the bar names what one is here to do.
const weight = (role: Role): number => (role === Role.VIEWER ? 1 : 0);

/** Grants in force, the one that counts most first. */
export function standing(person: Person, nowMs: number) {
  return inForce(person, nowMs).sort((a, b) => weight(a.role) - weight(b.role));
}

export function hasRole(person: Person, role: Role, nowMs: number): boolean {
  return inForce(person, nowMs).some((g) => g.role === role);
}
