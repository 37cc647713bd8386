import type { FeatureCollection, LineString, MultiLineString, MultiPolygon, Point, Polygon } from 'geojson';
import { useEffect, useState } from 'react';

export interface PointProperties {
  id: string;
  kind: 'intake' | 'section' | 'border' | 'dam';
  name_zh: string;
  name_en: string;
  river_zh: string;
}

/** What the map is drawn from. */
export interface MapData {
  areas: FeatureCollection<Polygon | MultiPolygon, { code: string; province: string }>;
  lines: FeatureCollection<MultiLineString, { kind: 'province' | 'inner'; province: string }>;
  rivers: FeatureCollection<LineString, { name_zh: string; name_en: string; main: boolean }>;
  points: FeatureCollection<Point, PointProperties>;
}

export type Loading = { state: 'loading' } | { state: 'failed' } | { state: 'ready'; map: MapData };

// The server may serve other files at this address: see map/README.md.
const BASE = 'map/';

let once: Promise<MapData> | null = null;

async function load(): Promise<MapData> {
  const read = async (name: string) => {
    const answer = await fetch(`${BASE}${name}.geojson`);
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
    return (await answer.json()) as never;
  };
  const [areas, lines, rivers, points] = await Promise.all([read('areas'), read('lines'), read('rivers'), read('points')]);
  return { areas, lines, rivers, points };
}

export function useMapData(): Loading {
  const [loading, setLoading] = useState<Loading>({ state: 'loading' });
  useEffect(() => {
    let over = false;
    once ??= load();
    once.then(
      (map) => !over && setLoading({ state: 'ready', map }),
      () => {
        once = null;
        if (!over) setLoading({ state: 'failed' });
      },
    );
    return () => {
      over = true;
    };
  }, []);
  return loading;
}
