// Rivers as lines with a direction, and the points on them, from seeds/rivers.

// The line of a reach is not in the seeds, only its ends: a centripetal curve through the nodes of a river gives a line that is
// easy to follow. It is schematic, and the legend says so.
function curve(points, steps = 8) {
  if (points.length < 3) return points;
  const out = [points[0]];
  for (let i = 0; i < points.length - 1; i++) {
    const p = [points[Math.max(0, i - 1)], points[i], points[i + 1], points[Math.min(points.length - 1, i + 2)]];
    for (let s = 1; s <= steps; s++) out.push(between(p, s / steps));
  }
  return out.map(([x, y]) => [round(x), round(y)]);
}

function between([p0, p1, p2, p3], u) {
  const gap = (a, b) => Math.max(1e-4, Math.sqrt(Math.hypot(b[0] - a[0], b[1] - a[1])));
  const t1 = gap(p0, p1);
  const t2 = t1 + gap(p1, p2);
  const t3 = t2 + gap(p2, p3);
  const t = t1 + (t2 - t1) * u;
  const mix = (a, b, ta, tb) => [0, 1].map((k) => (a[k] * (tb - t) + b[k] * (t - ta)) / (tb - ta));
  const a1 = mix(p0, p1, 0, t1);
  const a2 = mix(p1, p2, t1, t2);
  const a3 = mix(p2, p3, t2, t3);
  return mix(mix(a1, a2, 0, t2), mix(a2, a3, t1, t3), t1, t2);
}

const round = (v) => Math.round(v * 1e5) / 1e5;

function position(node) {
  const lon = Number(node.lon_on_river || node.lon);
  const lat = Number(node.lat_on_river || node.lat);
  return lon && lat ? [lon, lat] : null;
}

// Reaches chained from source to mouth, one line for each unbroken run of a river.
export function riverLines(nodes, reaches) {
  const byId = new Map(nodes.map((n) => [n.id, n]));
  const linked = reaches.filter((r) => byId.has(r.from_node) && byId.has(r.to_node));
  const next = new Map(linked.map((r) => [`${r.river_zh}|${r.from_node}`, r]));
  const entered = new Set(linked.map((r) => `${r.river_zh}|${r.to_node}`));
  const features = [];
  for (const first of linked.filter((r) => !entered.has(`${r.river_zh}|${r.from_node}`))) {
    const ids = [first.from_node];
    for (let r = first; r; r = next.get(`${first.river_zh}|${r.to_node}`)) ids.push(r.to_node);
    const line = ids.map((id) => position(byId.get(id))).filter(Boolean);
    if (line.length < 2) continue;
    features.push({
      type: 'Feature',
      properties: { name_zh: first.river_zh, name_en: first.river_en, main: first.river_zh === '长江' },
      geometry: { type: 'LineString', coordinates: curve(line) },
    });
  }
  return { type: 'FeatureCollection', features };
}

const SHOWN = { drinking_intake: 'intake', national_section: 'section', national_section_border: 'section', border: 'border', dam: 'dam' };

export function riverPoints(nodes) {
  const features = [];
  for (const n of nodes) {
    const at = position(n);
    if (!at || !SHOWN[n.kind]) continue;
    features.push({
      type: 'Feature',
      properties: { id: n.id, kind: SHOWN[n.kind], name_zh: n.name_zh, name_en: n.name_en || n.name_zh, river_zh: n.river_zh },
      geometry: { type: 'Point', coordinates: at },
    });
  }
  return { type: 'FeatureCollection', features };
}
