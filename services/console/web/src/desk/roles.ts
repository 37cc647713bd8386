import { Role, type Person } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import { ms } from '../logic/time';

/** Grants in force at a time. */
export function inForce(person: Person, nowMs: number) {
  return person.grants.filter((g) => (ms(g.startTime) ?? 0) <= nowMs && nowMs < (ms(g.endTime) ?? Number.MAX_SAFE_INTEGER));
}

export function hasRole(person: Person, role: Role, nowMs: number): boolean {
  return inForce(person, nowMs).some((g) => g.role === role);
}
