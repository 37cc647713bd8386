import { useEffect } from 'react';
import { session, setSession } from '../api/session';
import { useDesk } from '../live/context';

const EVERY_MS = 60_000;

/** Reads again, now and then, who is signed in and with which grants: they begin and end while one sits here. */
export function useFreshSession(): void {
  const { clients } = useDesk();
  useEffect(() => {
    let over = false;
    const ask = async () => {
      try {
        const { person } = await clients.sessions.getSession({});
        const now = session.get();
        if (!over && person && now) setSession({ token: now.token, person });
      } catch {
        // An ended session is dealt with where every call passes; a lost link shows in the bar.
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), EVERY_MS);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [clients]);
}
