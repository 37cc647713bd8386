import { Marker, type Map as GlMap } from 'maplibre-gl';
import { useEffect, type RefObject } from 'react';
import { go } from '../app/route';
import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { divisionName } from '../logic/districts';
import { gradeNumeral, gradeOf } from '../ui/Grade';
import type { Placed } from './position';

/** A marker for each incident, with its grade's numeral on its colour. They stay out of the tab order: the list is for the keyboard. */
export function useIncidentMarkers(map: RefObject<GlMap | null>, incidents: readonly Placed[], lang: 'zh' | 'en'): void {
  useEffect(() => {
    const gl = map.current;
    if (!gl) return;
    // Several at one place stand side by side, so that none hides another.
    const taken = new Map<string, number>();
    const markers = incidents.flatMap(({ incident, at }) => {
      if (!at) return [];
      const spot = at.map((v) => v.toFixed(2)).join();
      const before = taken.get(spot) ?? 0;
      taken.set(spot, before + 1);
      return [new Marker({ element: element(incident, lang), anchor: 'bottom', offset: [before * 28, -8] }).setLngLat(at).addTo(gl)];
    });
    return () => markers.forEach((m) => m.remove());
  }, [map, incidents, lang]);
}

function element(incident: Incident, lang: 'zh' | 'en'): HTMLElement {
  const { grade } = gradeOf(incident);
  const button = document.createElement('button');
  button.type = 'button';
  button.tabIndex = -1;
  button.className = `marker grade grade-${grade}`;
  button.textContent = gradeNumeral(grade);
  button.title = `${divisionName(incident.place?.adminCode ?? '', lang)} ${incident.title}`;
  button.dataset['testid'] = 'marker';
  button.dataset['name'] = incident.name;
  button.addEventListener('click', () => go({ page: 'desk', incident: incident.name }));
  return button;
}
