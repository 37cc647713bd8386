import { useExercise } from '../exercises/useExercises';
import { useI18n } from '../i18n';
import { useWallNow } from '../live/clock';
import { useDesk, useSpaceNow } from '../live/context';
import { clockTimeSeconds, isoDate } from '../logic/time';

/** Beijing time with seconds; in an exercise its own clock first, and how fast it runs. */
export function BarClock() {
  const { t } = useI18n();
  const { space } = useDesk();
  const now = useSpaceNow();
  const wall = useWallNow();
  const exercise = useExercise();
  if (space === 'real') {
    return (
      <time className="bar-clock num" data-testid="bar-clock" title={t('clock.beijing')}>
        <span className="faint">{isoDate(now)}</span> <strong>{clockTimeSeconds(now)}</strong>
      </time>
    );
  }
  const rate = exercise?.clock?.rate ?? 1;
  return (
    <span className="bar-clock num" data-testid="bar-clock">
      <span>{t('exercise.clock')}</span>{' '}
      <time>
        {isoDate(now)} <strong>{clockTimeSeconds(now)}</strong>
      </time>{' '}
      <span>{rate === 0 ? t('exercise.still') : t('exercise.rate', { rate })}</span>{' '}
      <span className="real-time">{t('exercise.realTime', { time: clockTimeSeconds(wall) })}</span>
    </span>
  );
}
