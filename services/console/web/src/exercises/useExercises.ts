import { useEffect } from 'react';
import type { Exercise } from '../gen/proto/fenghuo/exercise/v1/exercise_pb';
import { useDesk } from '../live/context';
import { Store, useStore } from '../live/store';

const EVERY_MS = 3000;

const exercises = new Store<readonly Exercise[]>([]);

/** Follows the exercises of the node for as long as the component is shown. Exercises are the node's and have no event feed. */
export function useExercises(): readonly Exercise[] {
  const { clients, live, space } = useDesk();
  useEffect(() => {
    let over = false;
    const ask = async () => {
      if (document.visibilityState === 'hidden') return;
      try {
        const answer = await clients.exercises.listExercises({ pageSize: 200 });
        if (over) return;
        exercises.set(answer.exercises);
        const here = answer.exercises.find((e) => e.name === space);
        if (here) live.setRate(here.clock?.rate ?? 1);
      } catch {
        // The bar shows the state of the link; the list stays as it was.
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), EVERY_MS);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [clients, live, space]);
  return useStore(exercises);
}

/** The exercise that this window works in; undefined in the real space. */
export function useExercise(): Exercise | undefined {
  const { space } = useDesk();
  return useStore(exercises).find((e) => e.name === space);
}
