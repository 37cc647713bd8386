import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { divisionOf } from '../logic/districts';

/** Where an incident is drawn: its own position, or the seat of its county-level unit. */
export function positionOf(incident: Incident): [number, number] | null {
  const p = incident.place;
  if (p?.longitudeDeg !== undefined && p.latitudeDeg !== undefined) return [p.longitudeDeg, p.latitudeDeg];
  const d = divisionOf(p?.adminCode ?? '');
  return d?.lon != null && d.lat != null ? [d.lon, d.lat] : null;
}
