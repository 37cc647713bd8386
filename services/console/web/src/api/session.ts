import { fromJsonString, toJsonString } from '@bufbuild/protobuf';
import { PersonSchema, type Person } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import { Store } from '../live/store';

/** Who is signed in in this tab. */
export interface Session {
  token: string;
  person: Person;
}

// Per tab and gone with it: a token left behind on a shared machine would be a key under the mat. Drafts are kept elsewhere.
const KEY = 'fenghuo.session';

function load(): Session | null {
  try {
    const raw = sessionStorage.getItem(KEY);
    if (!raw) return null;
    const { token, person } = JSON.parse(raw) as { token: string; person: string };
    return { token, person: fromJsonString(PersonSchema, person) };
  } catch {
    return null;
  }
}

export const session = new Store<Session | null>(load());

export function setSession(next: Session | null): void {
  if (next) sessionStorage.setItem(KEY, JSON.stringify({ token: next.token, person: toJsonString(PersonSchema, next.person) }));
  else sessionStorage.removeItem(KEY);
  session.set(next);
}

/** True after a session ended by itself; the sign-in page says so. */
export const expired = new Store(false);
