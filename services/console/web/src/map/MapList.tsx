import { useState } from 'react';
import { go } from '../app/route';
import { useI18n } from '../i18n';
import { divisionName } from '../logic/districts';
import { GradeBadge, gradeOf } from '../ui/Grade';
import type { MapData } from './data';
import type { Placed } from './position';

interface Props {
  points: MapData['points'];
  incidents: readonly Placed[];
  onShow: (at: [number, number]) => void;
}

/** Everything that is on the map, to be found by typing and shown by Enter. */
export function MapList({ points, incidents, onShow }: Props) {
  const { t, lang } = useI18n();
  const [text, setText] = useState('');
  const name = (p: { name_zh: string; name_en: string }) => (lang === 'zh' ? p.name_zh : p.name_en);
  const has = (s: string) => s.toLowerCase().includes(text.trim().toLowerCase());
  const found = points.features.filter((f) =>
    has(`${f.properties.name_zh} ${f.properties.name_en} ${f.properties.river_zh} ${t(`map.${f.properties.kind}`)}`),
  );
  return (
    <div className="map-list" data-testid="map-list">
      <input
        type="search"
        autoFocus
        value={text}
        aria-label={t('map.search')}
        placeholder={t('map.search')}
        data-testid="map-search"
        onChange={(e) => setText(e.target.value)}
      />
      <ul>
        {incidents.map(({ incident: i, at }) => {
          const { grade, state } = gradeOf(i);
          return (
            <li key={i.name}>
              <button type="button" data-testid="map-list-incident" onClick={() => (at && onShow(at), go({ incident: i.name }))}>
                <GradeBadge grade={grade} state={state} /> {divisionName(i.place?.adminCode ?? '', lang)} {i.title}
              </button>
            </li>
          );
        })}
        {found.map((f) => (
          <li key={f.properties.id}>
            <button type="button" data-testid="map-list-point" onClick={() => onShow(f.geometry.coordinates as [number, number])}>
              <span className={`key key-${f.properties.kind}`} aria-hidden="true" /> {name(f.properties)}{' '}
              <span className="faint">
                {t(`map.${f.properties.kind}`)} {f.properties.river_zh}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
