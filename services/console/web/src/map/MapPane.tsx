import { lazy, Suspense, useMemo, useState } from 'react';
import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n } from '../i18n';
import { useKeys } from '../keys/keys';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import { Kbd } from '../ui/Kbd';
import { MapList } from './MapList';
import { useMapData } from './data';
import { place } from './position';

// The map library is large; queue and incident do not wait for it.
const MapView = lazy(() => import('./MapView'));

/** The map, and beside it a list of what is on it, for those who use no mouse. */
export function MapPane({ incidents, bare, hidden }: { incidents: readonly Incident[]; bare?: boolean; hidden?: boolean }) {
  const { t } = useI18n();
  const data = useMapData();
  const [listed, setListed] = useState(false);
  const [target, setTarget] = useState<{ at: [number, number]; n: number } | null>(null);
  useKeys(bare || hidden ? [] : [{ key: 'm', label: 'key.mapList', run: () => setListed((v) => !v) }]);
  const { live } = useDesk();
  const notifications = useStore(live.notifications.list);
  const placed = useMemo(() => place(incidents, notifications), [incidents, notifications]);
  const show = (at: [number, number]) => setTarget((old) => ({ at, n: (old?.n ?? 0) + 1 }));
  return (
    <div className="map-pane" data-testid="map-pane">
      {data.state === 'ready' ? (
        <Suspense fallback={<p className="empty">{t('app.loading')}</p>}>
          <MapView data={data.map} incidents={placed} target={target} />
        </Suspense>
      ) : (
        <p className="empty">{data.state === 'failed' ? t('map.failed') : t('app.loading')}</p>
      )}
      {!bare && (
        <div className="map-side">
          <button type="button" className="tool" aria-expanded={listed} data-testid="map-list-toggle" onClick={() => setListed(!listed)}>
            {t('map.list')}
            <Kbd>m</Kbd>
          </button>
          {listed && data.state === 'ready' && <MapList points={data.map.points} incidents={placed} onShow={show} />}
        </div>
      )}
      <ul className="legend" aria-label={t('map.legend')}>
        <li>
          <span className="key key-river" aria-hidden="true" /> {t('map.river')}
        </li>
        <li>
          <span className="key key-section" aria-hidden="true" /> {t('map.section')}
        </li>
        <li>
          <span className="key key-intake" aria-hidden="true" /> {t('map.intake')}
        </li>
        <li className="faint">{t('map.note')}</li>
      </ul>
    </div>
  );
}
