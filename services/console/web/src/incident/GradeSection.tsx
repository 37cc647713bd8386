import { Grade } from '../gen/proto/fenghuo/common/v1/common_pb';
import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n, type MessageKey } from '../i18n';
import { dateTime, ms } from '../logic/time';
import { GradeBadge, gradeKey } from '../ui/Grade';
import { Section } from '../ui/Section';

/** The grade, the clauses that give it, what could still raise it, and the sensitive cases that hold. */
export function GradeSection({ incident }: { incident: Incident }) {
  const { t, pick } = useI18n();
  const a = incident.assessment;
  const d = incident.decision;
  if (!a) return null;
  return (
    <Section title={t('gradeSection.title')} testId="grade">
      <p data-testid="grade-proposed">
        <GradeBadge grade={a.grade} state={a.state} /> {t('gradeSection.rules')} <strong>{t(`gradeState.${a.state}` as MessageKey)}</strong>
        {a.grade !== Grade.UNSPECIFIED && <> · {t(gradeKey(a.grade))}</>}
        {a.couldReach !== Grade.UNSPECIFIED && (
          <>
            {' '}
            · <span data-testid="grade-could-reach">{t('gradeSection.couldReach', { grade: t(gradeKey(a.couldReach)) })}</span>
          </>
        )}
      </p>
      {d && (
        <p data-testid="grade-decided">
          <GradeBadge grade={d.grade} state={1} /> {t(`decisionKind.${d.kind}` as MessageKey)} <strong>{t(gradeKey(d.grade))}</strong> ·{' '}
          {d.authority}
          {ms(d.decideTime) !== undefined && <span className="faint num"> · {dateTime(ms(d.decideTime) ?? 0)}</span>}
          {d.reason && (
            <>
              <br />
              {d.reason}
            </>
          )}
        </p>
      )}
      <ul className="clauses">
        {a.fired.map((f) => (
          <li key={f.row} data-testid="fired-clause" data-row-id={f.row} data-grade={f.grade}>
            <GradeBadge grade={f.grade} state={1} />
            <span>
              {pick(f.citationZh, f.citationEn)}
              <br />
              <span className="faint">{pick(f.explanationZh, f.explanationEn)}</span>
            </span>
          </li>
        ))}
      </ul>
      {a.sensitiveCases.length > 0 && (
        <>
          <h3>{t('gradeSection.sensitive')}</h3>
          <ul className="clauses">
            {a.sensitiveCases.map((s) => (
              <li key={s.number} data-testid="sensitive-case" data-number={s.number}>
                <span className="num">({s.number})</span>
                <span>{pick(s.citationZh, s.citationEn)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      {a.openQuestions.length > 0 && (
        <>
          <h3>{t('gradeSection.toAsk')}</h3>
          <ul className="clauses">
            {a.openQuestions.map((q) => (
              <li key={q.row + q.fact} data-testid="open-question" data-fact={q.fact}>
                <span className="raise" title={t(gradeKey(q.couldReach))}>
                  ↑ <GradeBadge grade={q.couldReach} state={1} />
                </span>
                <span>{pick(q.questionZh, q.questionEn)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      {a.tableId && (
        <p className="faint" data-testid="rule-table">
          {pick(a.tableTitleZh, a.tableTitleEn)} ·{' '}
          <span className="mono">
            {a.tableId} {a.tableHash.slice(0, 12)}
          </span>
          {ms(a.assessTime) !== undefined && <span className="num"> · {dateTime(ms(a.assessTime) ?? 0)}</span>}
        </p>
      )}
    </Section>
  );
}
