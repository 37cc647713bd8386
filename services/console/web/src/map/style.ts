import type { FeatureCollection, Point } from 'geojson';
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import { divisions } from '../logic/districts';
import type { MapData } from './data';
import type { Palette } from './palette';

const FONT = ['Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', 'sans-serif'];

/** A style without any address: sources are given as data and letters are drawn from the fonts of the machine. */
export function mapStyle(data: MapData, home: string, lang: 'zh' | 'en', p: Palette): StyleSpecification {
  const name = ['get', lang === 'zh' ? 'name_zh' : 'name_en'];
  const layers: unknown[] = [
    { id: 'beyond', type: 'background', paint: { 'background-color': p.beyond } },
    {
      id: 'areas',
      type: 'fill',
      source: 'areas',
      paint: { 'fill-color': ['case', ['==', ['get', 'province'], home], p.own, p.neighbour], 'fill-antialias': false },
    },
    {
      id: 'inner',
      type: 'line',
      source: 'lines',
      filter: ['==', ['get', 'kind'], 'inner'],
      paint: { 'line-color': p.inner, 'line-width': ['interpolate', ['linear'], ['zoom'], 5, 0.4, 9, 1] },
    },
    {
      id: 'rivers',
      type: 'line',
      source: 'rivers',
      layout: { 'line-join': 'round', 'line-cap': 'round' },
      paint: {
        'line-color': p.river,
        'line-width': ['interpolate', ['linear'], ['zoom'], 5, ['case', ['get', 'main'], 2, 1], 10, ['case', ['get', 'main'], 6, 3]],
      },
    },
    {
      id: 'borders',
      type: 'line',
      source: 'lines',
      filter: ['==', ['get', 'kind'], 'province'],
      paint: { 'line-color': p.border, 'line-width': ['interpolate', ['linear'], ['zoom'], 5, 1, 9, 2] },
    },
    {
      id: 'flow',
      type: 'symbol',
      source: 'rivers',
      layout: {
        'symbol-placement': 'line',
        'symbol-spacing': 60,
        'icon-image': 'flow',
        'icon-allow-overlap': true,
        'icon-rotation-alignment': 'map',
        'icon-size': ['case', ['get', 'main'], 0.62, 0.5],
        'icon-padding': 0,
      },
    },
    {
      id: 'river-names',
      type: 'symbol',
      source: 'rivers',
      layout: {
        'symbol-placement': 'line',
        'symbol-spacing': 320,
        'text-field': name,
        'text-font': FONT,
        'text-size': 12,
        'text-offset': [0, 0.9],
      },
      paint: { 'text-color': p.river, 'text-halo-color': p.halo, 'text-halo-width': 1.5 },
    },
    {
      id: 'points',
      type: 'symbol',
      source: 'points',
      filter: ['in', ['get', 'kind'], ['literal', ['intake', 'section', 'border', 'dam']]],
      minzoom: 6,
      layout: {
        'icon-image': ['match', ['get', 'kind'], 'intake', 'intake', 'border', 'crossing', 'section'],
        'icon-size': 0.5,
        'icon-allow-overlap': true,
        'text-field': ['step', ['zoom'], '', 7.5, name],
        'text-font': FONT,
        'text-size': 11,
        'text-anchor': 'left',
        'text-offset': [0.7, 0],
        'text-optional': true,
      },
      paint: { 'text-color': p.point, 'text-halo-color': p.halo, 'text-halo-width': 1.5 },
    },
    {
      id: 'districts',
      type: 'symbol',
      source: 'names',
      filter: ['==', ['get', 'level'], 'district'],
      minzoom: 5.9,
      layout: { 'text-field': name, 'text-font': FONT, 'text-size': 11, 'text-max-width': 6, 'text-padding': 4 },
      paint: { 'text-color': p.text, 'text-opacity': 0.75, 'text-halo-color': p.halo, 'text-halo-width': 1.2 },
    },
    {
      id: 'provinces',
      type: 'symbol',
      source: 'names',
      filter: ['==', ['get', 'level'], 'province'],
      layout: { 'text-field': name, 'text-font': FONT, 'text-size': 16, 'text-letter-spacing': 0.2, 'text-allow-overlap': true },
      paint: { 'text-color': p.text, 'text-halo-color': p.halo, 'text-halo-width': 1.5 },
    },
  ];
  return {
    version: 8,
    sources: {
      areas: { type: 'geojson', data: data.areas },
      lines: { type: 'geojson', data: data.lines },
      rivers: { type: 'geojson', data: data.rivers },
      points: { type: 'geojson', data: data.points },
      names: { type: 'geojson', data: placeNames() },
    },
    layers: layers as LayerSpecification[],
  };
}

// Where a province's name stands: inside the part of it that the map shows, not at its seat.
const PROVINCE_AT: Record<string, [number, number]> = {
  500000: [107.6, 30.25],
  420000: [111.0, 31.35],
  430000: [110.4, 28.9],
  510000: [105.1, 30.9],
  520000: [107.3, 28.0],
  610000: [108.6, 32.75],
};

function placeNames(): FeatureCollection<Point> {
  const features = divisions
    .filter((d) => d.old === '' && d.lon !== null && d.lat !== null && !/^\d{2}(?!00)\d{2}00$/.test(d.code))
    .map((d) => ({
      type: 'Feature' as const,
      properties: { name_zh: d.zh, name_en: d.en, level: d.code.endsWith('0000') ? 'province' : 'district' },
      geometry: { type: 'Point' as const, coordinates: PROVINCE_AT[d.code] ?? [d.lon ?? 0, d.lat ?? 0] },
    }));
  return { type: 'FeatureCollection', features };
}
