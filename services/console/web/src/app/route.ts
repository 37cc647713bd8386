import { Store, useStore } from '../live/store';

export type Page = 'desk' | 'partners' | 'people' | 'exercises' | 'account' | 'wall' | 'setup';
/** What stands in the middle of the desk. */
export type Centre = 'map' | 'report' | 'notification';

/** Where the page is. Kept in the address, so that reload and the back key lead where one expects. */
export interface Route {
  page: Page;
  centre: Centre;
  incident: string;
  notification: string;
  /** One-time token of the first start. */
  token: string;
}

const PAGES: readonly Page[] = ['desk', 'partners', 'people', 'exercises', 'account', 'wall', 'setup'];
const CENTRES: readonly Centre[] = ['map', 'report', 'notification'];

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [first, second] = path.split('/');
  const page = PAGES.find((p) => p === first) ?? 'desk';
  const centre = CENTRES.find((c) => c === second) ?? 'map';
  const q = new URLSearchParams(query);
  return {
    page,
    centre,
    incident: q.get('incident') ?? '',
    notification: q.get('notification') ?? '',
    token: q.get('token') ?? '',
  };
}

export function formatRoute(route: Partial<Route> & { page: Page }): string {
  const q = new URLSearchParams();
  if (route.incident) q.set('incident', route.incident);
  if (route.notification) q.set('notification', route.notification);
  const path = route.page === 'desk' && route.centre && route.centre !== 'map' ? `desk/${route.centre}` : route.page;
  const query = q.toString().replaceAll('%2F', '/');
  return `#/${path}${query ? `?${query}` : ''}`;
}

const route = new Store<Route>(parseRoute(location.hash));
addEventListener('hashchange', () => route.set(parseRoute(location.hash)));

export const useRoute = (): Route => useStore(route);

/** Goes somewhere; what is not named stays as it is within the desk. */
export function go(change: Partial<Route>): void {
  const now = route.get();
  const target = { ...now, ...change, token: '' };
  location.hash = formatRoute(target);
  route.set(parseRoute(location.hash));
}
