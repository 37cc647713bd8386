// Makes what the page needs of places: public/map/*.geojson and src/gen/divisions.json. Reads only packages and seeds; no network.
//   FENGHUO_MAP_AREAS=reviewed.geojson npm run map    takes the boundaries from a file instead of the package (see map/README.md)
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { areaFeatures, givenAreas, lineFeatures, packageAreas } from './boundaries.mjs';
import { readCsv } from './csv.mjs';
import { riverLines, riverPoints } from './rivers.mjs';

const web = join(dirname(fileURLToPath(import.meta.url)), '..');
const seeds = join(web, '../../../seeds');
const out = join(web, 'public/map');
const gen = join(web, 'src/gen');
mkdirSync(out, { recursive: true });
mkdirSync(gen, { recursive: true });

const given = process.env.FENGHUO_MAP_AREAS;
const areas = given ? givenAreas(JSON.parse(readFileSync(given, 'utf8'))) : packageAreas();
const nodes = readCsv(join(seeds, 'rivers/nodes.csv'));
const reaches = readCsv(join(seeds, 'rivers/reaches.csv'));

const write = (path, value) => writeFileSync(path, JSON.stringify(value));
write(join(out, 'areas.geojson'), areaFeatures(areas));
write(join(out, 'lines.geojson'), lineFeatures(areas));
write(join(out, 'rivers.geojson'), riverLines(nodes, reaches));
write(join(out, 'points.geojson'), riverPoints(nodes));

const divisions = readdirSync(join(seeds, 'divisions'))
  .filter((f) => /^\d{6}\.csv$/.test(f))
  .sort()
  .flatMap((f) => readCsv(join(seeds, 'divisions', f)));
const provinces = readCsv(join(seeds, 'divisions/provinces.csv'));
const known = new Set(divisions.map((d) => d.code));
const all = [...divisions, ...provinces.filter((p) => !known.has(p.code))];
write(
  join(gen, 'divisions.json'),
  all.map((d) => ({
    code: d.code,
    zh: d.name_zh,
    en: d.name_en,
    lon: d.lon === '' ? null : Number(d.lon),
    lat: d.lat === '' ? null : Number(d.lat),
    old: d.status === 'current' ? '' : d.status,
  })),
);
console.log(`map: ${areas.length} areas, ${nodes.length} river nodes, ${all.length} divisions`);
