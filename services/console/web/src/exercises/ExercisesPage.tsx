import { go } from '../app/route';
import { space as spaceStore } from '../app/settings';
import { ExerciseState } from '../gen/proto/fenghuo/exercise/v1/exercise_pb';
import { useI18n, type MessageKey } from '../i18n';
import { useKeys } from '../keys/keys';
import { useDesk } from '../live/context';
import { divisionName } from '../logic/districts';
import { dateTime, ms } from '../logic/time';
import { Button } from '../ui/Button';
import { useExercises } from './useExercises';

/** The exercises of this node. Entering one changes this window alone, and its whole bar says so. */
export function ExercisesPage() {
  const { t, lang } = useI18n();
  const { space } = useDesk();
  const exercises = useExercises();
  useKeys([{ key: 'Escape', label: 'key.back', run: () => go({ page: 'desk' }) }]);
  const enter = (name: string) => {
    go({ page: 'desk', centre: 'map', incident: '', notification: '' });
    spaceStore.set(name);
  };
  return (
    <main className="page" data-testid="exercises-page">
      <h1>{t('nav.exercises')}</h1>
      <p className="faint">{t('exercise.about')}</p>
      <table className="list" data-testid="exercises-table">
        <thead>
          <tr>
            <th>{t('exercise.title')}</th>
            <th>{t('exercise.state')}</th>
            <th>{t('exercise.clock')}</th>
            <th>{t('exercise.provinces')}</th>
            <th>
              <span className="sr">{t('action.title')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          <tr aria-current={space === 'real'} data-testid="space-row" data-space="real">
            <td>
              <strong>{t('exercise.real')}</strong>
            </td>
            <td>{t('exercise.realState')}</td>
            <td>{t('exercise.realClock')}</td>
            <td />
            <td>
              {space === 'real' ? (
                t('exercise.here')
              ) : (
                <Button label={t('exercise.leave')} tone="main" testId="enter-real" onClick={() => enter('real')} />
              )}
            </td>
          </tr>
          {exercises.map((e) => (
            <tr key={e.name} aria-current={space === e.name} data-testid="space-row" data-space={e.name}>
              <td>
                {e.title}
                <div className="faint mono">{e.name}</div>
              </td>
              <td>{t(`exerciseState.${e.state}` as MessageKey)}</td>
              <td className="num">
                {ms(e.spaceTime) !== undefined && dateTime(ms(e.spaceTime) ?? 0)}{' '}
                {e.clock && e.state === ExerciseState.OPEN && t('exercise.rate', { rate: e.clock.rate })}
              </td>
              <td>{e.provinceCodes.map((c) => divisionName(c, lang)).join(' · ')}</td>
              <td>
                {space === e.name ? (
                  t('exercise.here')
                ) : (
                  <Button label={t('exercise.enter')} testId="enter-exercise" onClick={() => enter(e.name)} />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {exercises.length === 0 && <p className="empty">{t('exercise.none')}</p>}
    </main>
  );
}
