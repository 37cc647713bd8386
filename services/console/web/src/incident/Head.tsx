import { IncidentState, type Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n } from '../i18n';
import { fullName } from '../logic/districts';
import { dateTime, ms } from '../logic/time';
import { GradeBadge, gradeOf } from '../ui/Grade';

/** Where, what, when it happened and when we learned, each apart. */
export function Head({ incident, onClose }: { incident: Incident; onClose: () => void }) {
  const { t, lang } = useI18n();
  const { grade, state } = gradeOf(incident);
  const place = incident.place;
  const occurred = ms(incident.occurTime);
  const learned = ms(incident.learnTime);
  return (
    <header className="incident-head">
      <div className="row">
        <GradeBadge grade={grade} state={state} large />
        <h2 data-testid="incident-title">{incident.title}</h2>
        <button
          type="button"
          className="tool"
          onClick={onClose}
          title={t('common.close')}
          data-testid="incident-close-panel"
          aria-label={t('common.close')}
        >
          ✕
        </button>
      </div>
      <p>
        <strong data-testid="incident-place">{fullName(place?.adminCode ?? '', lang)}</strong> {place?.description} {place?.waterBody}
        {incident.state === IncidentState.CLOSED && (
          <strong className="closed" data-testid="incident-closed">
            {' '}
            ■ {t('incident.closed')}
          </strong>
        )}
      </p>
      <dl className="times num">
        <dt>{t('time.occurred')}</dt>
        <dd data-testid="incident-occurred">{occurred === undefined ? t('common.unknown') : dateTime(occurred)}</dd>
        <dt>{t('time.learned')}</dt>
        <dd data-testid="incident-learned">{learned === undefined ? t('common.unknown') : dateTime(learned)}</dd>
      </dl>
    </header>
  );
}
