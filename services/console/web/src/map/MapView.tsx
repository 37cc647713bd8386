import { Map as GlMap, NavigationControl, setWorkerUrl } from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import { useEffect, useRef } from 'react';
import { theme as themeStore } from '../app/settings';
import { useI18n } from '../i18n';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import type { MapData } from './data';
import { mapIcons } from './icons';
import { useIncidentMarkers } from './markers';
import { palette } from './palette';
import type { Placed } from './position';
import { mapStyle } from './style';

// The built page serves the worker as a file of its own; without this the library would look for it beside its own source.
setWorkerUrl(workerUrl);

type Bounds = [[number, number], [number, number]];

// Chongqing with the edges of its neighbours.
const AROUND_CHONGQING: Bounds = [
  [104.9, 28.1],
  [110.9, 32.4],
];
// A neighbour sees the side that it shares with Chongqing.
const BOUNDS: Record<string, Bounds> = {
  '420000': [
    [106.2, 28.6],
    [112.0, 32.9],
  ],
};

interface Props {
  data: MapData;
  incidents: readonly Placed[];
  target: { at: [number, number]; n: number } | null;
}

/** The map itself. It takes no focus by itself and needs no network. */
export default function MapView({ data, incidents, target }: Props) {
  const { lang, t } = useI18n();
  const { node } = useDesk();
  const box = useRef<HTMLDivElement>(null);
  const map = useRef<GlMap | null>(null);
  const theme = useStore(themeStore);

  useEffect(() => {
    if (!box.current) return;
    const gl = new GlMap({
      container: box.current,
      style: mapStyle(data, node.provinceCode, lang, palette()),
      bounds: BOUNDS[node.provinceCode] ?? AROUND_CHONGQING,
      minZoom: 4.5,
      maxZoom: 12,
      maxBounds: [
        [99, 23],
        [118, 37],
      ],
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      fadeDuration: 0,
    });
    gl.touchZoomRotate.disableRotation();
    gl.addControl(new NavigationControl({ showCompass: false }), 'top-right');
    // Focus goes to the map only by the Tab key or a click.
    gl.getCanvas().setAttribute('aria-label', t('map.title'));
    gl.setMissingStyleImageResolver((id) => addIcon(gl, id));
    gl.on('load', () => box.current?.setAttribute('data-ready', 'true'));
    map.current = gl;
    return () => {
      map.current = null;
      gl.remove();
    };
  }, [data, node.provinceCode]);

  useEffect(() => {
    const gl = map.current;
    if (!gl) return;
    const redraw = () => {
      for (const id of Object.keys(mapIcons(palette()))) if (gl.hasImage(id)) gl.removeImage(id);
      gl.setStyle(mapStyle(data, node.provinceCode, lang, palette()), { diff: false });
    };
    redraw();
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', redraw);
    return () => dark.removeEventListener('change', redraw);
  }, [data, node.provinceCode, lang, theme]);

  useIncidentMarkers(map, incidents, lang);

  useEffect(() => {
    if (target) map.current?.jumpTo({ center: target.at, zoom: 9 });
  }, [target]);

  return <div ref={box} className="map" data-testid="map" />;
}

function addIcon(gl: GlMap, id: string): void {
  const image = mapIcons(palette())[id];
  if (image && !gl.hasImage(id)) gl.addImage(id, image);
}
