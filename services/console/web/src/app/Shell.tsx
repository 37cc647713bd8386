import { useState } from 'react';
import { DeskPage } from '../desk/DeskPage';
import { DownList } from '../desk/DownList';
import { TopBar } from '../desk/TopBar';
import { StaleBanner } from '../desk/StaleBanner';
import { useExercises } from '../exercises/useExercises';
import { ExercisesPage } from '../exercises/ExercisesPage';
import { KeyHelp } from '../keys/KeyHelp';
import { useKeys } from '../keys/keys';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import { PartnersPage } from '../partners/PartnersPage';
import { PeoplePage } from '../people/PeoplePage';
import { AccountPage } from '../session/AccountPage';
import { useFreshSession } from '../session/useFreshSession';
import { WallPage } from '../wall/WallPage';
import { About } from './About';
import { go, useRoute } from './route';
import { lang, theme, type Theme } from './settings';

const NEXT_THEME: Record<Theme, Theme> = { system: 'night', night: 'day', day: 'system' };
export const switchTheme = () => theme.update((v) => NEXT_THEME[v]);
export const switchLang = () => lang.update((v) => (v === 'zh' ? 'en' : 'zh'));

/** The bar, the page under it, and the keys that work everywhere. */
export function Shell() {
  const route = useRoute();
  const { live } = useDesk();
  const link = useStore(live.link);
  useExercises();
  useFreshSession();
  const [overlay, setOverlay] = useState<'keys' | 'about' | 'down' | null>(null);
  useKeys([
    { key: '?', label: 'key.help', run: () => setOverlay('keys') },
    { key: 'n', label: 'key.report', run: () => go({ page: 'desk', centre: 'report', notification: '' }) },
    { key: '1', label: 'key.desk', run: () => go({ page: 'desk', centre: 'map' }) },
    { key: '2', label: 'key.partners', run: () => go({ page: 'partners' }) },
    { key: '3', label: 'key.exercises', run: () => go({ page: 'exercises' }) },
    { key: '4', label: 'key.people', run: () => go({ page: 'people' }) },
    { key: '5', label: 'key.account', run: () => go({ page: 'account' }) },
    { key: '6', label: 'key.wall', run: () => go({ page: 'wall' }) },
    { key: 'x', label: 'key.down', run: () => setOverlay('down') },
    { key: 'y', label: 'key.lang', run: switchLang },
    { key: 't', label: 'key.theme', run: switchTheme },
  ]);
  return (
    <div className={`shell ${link.state === 'down' ? 'stale' : ''}`} data-testid="shell" data-link={link.state}>
      <TopBar onHelp={() => setOverlay('keys')} onAbout={() => setOverlay('about')} onDown={() => setOverlay('down')} />
      <StaleBanner />
      {route.page === 'desk' && <DeskPage />}
      {route.page === 'partners' && <PartnersPage />}
      {route.page === 'people' && <PeoplePage />}
      {route.page === 'exercises' && <ExercisesPage />}
      {route.page === 'account' && <AccountPage />}
      {route.page === 'wall' && <WallPage />}
      {overlay === 'keys' && <KeyHelp onClose={() => setOverlay(null)} />}
      {overlay === 'down' && <DownList onClose={() => setOverlay(null)} />}
      {overlay === 'about' && <About onClose={() => setOverlay(null)} />}
    </div>
  );
}
