import type { Place } from '../gen/proto/fenghuo/common/v1/common_pb';
import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import type { NotificationRecord } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { divisionOf } from '../logic/districts';

/** An incident and where it is drawn; null if nobody knows. */
export interface Placed {
  incident: Incident;
  at: [number, number] | null;
}

// A province is no place on a map of provinces: its seat would be a position that nobody gave.
function positionOf(p: Place | undefined): [number, number] | null {
  if (p?.longitudeDeg !== undefined && p.latitudeDeg !== undefined) return [p.longitudeDeg, p.latitudeDeg];
  const d = p && !p.adminCode.endsWith('0000') ? divisionOf(p.adminCode) : undefined;
  return d?.lon != null && d.lat != null ? [d.lon, d.lat] : null;
}

/** Each incident at its own position, at the seat of its county-level unit, or where the notification that told of it says. */
export function place(incidents: readonly Incident[], notifications: ReadonlyMap<string, NotificationRecord>): Placed[] {
  const told = new Map([...notifications.values()].map((n) => [n.incident, n.content?.place]));
  return incidents.map((incident) => ({ incident, at: positionOf(incident.place) ?? positionOf(told.get(incident.name)) }));
}
