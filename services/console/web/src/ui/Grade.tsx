import { Grade } from '../gen/proto/fenghuo/common/v1/common_pb';
import { GradeState, type Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n, type MessageKey } from '../i18n';

const NUMERAL: Record<Grade, string> = {
  [Grade.UNSPECIFIED]: '?',
  [Grade.I]: 'Ⅰ',
  [Grade.II]: 'Ⅱ',
  [Grade.III]: 'Ⅲ',
  [Grade.IV]: 'Ⅳ',
};

export const gradeNumeral = (grade: Grade): string => NUMERAL[grade] ?? '?';
export const gradeKey = (grade: Grade): MessageKey => `grade.${grade}` as MessageKey;

/** The grade in force for the desk: a person's decision if there is one, otherwise what the rules propose. */
export function gradeOf(incident: Incident): { grade: Grade; state: GradeState } {
  const state = incident.assessment?.state ?? GradeState.UNSPECIFIED;
  if (incident.decision && incident.decision.grade !== Grade.UNSPECIFIED) {
    return { grade: incident.decision.grade, state: GradeState.GRADED };
  }
  return { grade: incident.assessment?.grade ?? Grade.UNSPECIFIED, state };
}

/** The numeral on its statutory colour. Without a grade it is a question mark on no colour; "敏" marks the sensitive. */
export function GradeBadge({ grade, state, large }: { grade: Grade; state: GradeState; large?: boolean }) {
  const { t } = useI18n();
  const unclear = state === GradeState.UNCLEAR || state === GradeState.UNCLEAR_SENSITIVE;
  const sensitive = state === GradeState.UNCLEAR_SENSITIVE;
  const label = grade === Grade.UNSPECIFIED ? t(`gradeState.${state}` as MessageKey) : t(gradeKey(grade));
  return (
    <span className={`grade grade-${grade} ${large ? 'grade-large' : ''}`} title={label} data-testid="grade-badge" data-grade={grade}>
      <span aria-hidden="true">{gradeNumeral(grade)}</span>
      {unclear && grade !== Grade.UNSPECIFIED && <span aria-hidden="true">?</span>}
      <span className="sr">{label}</span>
      {sensitive && <span className="grade-sensitive">{t('grade.sensitiveMark')}</span>}
    </span>
  );
}
