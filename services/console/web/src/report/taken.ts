import { Store } from '../live/store';

/** What became of the report that was sent last: shown above its incident until put away. */
export interface Taken {
  incident: string;
  opened: boolean;
  zh: readonly string[];
  en: readonly string[];
}

export const takenNotice = new Store<Taken | null>(null);
