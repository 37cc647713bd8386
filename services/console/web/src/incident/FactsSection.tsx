import { Tristate, type Figure } from '../gen/proto/fenghuo/common/v1/common_pb';
import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n, type MessageKey } from '../i18n';
import { useSpaceNow } from '../live/context';
import { ANSWERS, FIGURES, LEVELS, type LevelKey } from '../logic/facts';
import { formatNumber } from '../logic/numbers';
import { ms, shortTime } from '../logic/time';
import { SubstanceTable } from '../ui/SubstanceTable';
import { Section } from '../ui/Section';

/** What is known, with who said so and for when. What is unknown says so. */
export function FactsSection({ incident }: { incident: Incident }) {
  const { t } = useI18n();
  const f = incident.facts;
  const levels = Object.keys(LEVELS) as LevelKey[];
  const known = ANSWERS.filter((k) => f?.[k] === Tristate.YES || f?.[k] === Tristate.NO);
  const unknown = ANSWERS.filter((k) => !known.includes(k));
  return (
    <Section title={t('facts.title')} testId="facts">
      <table className="facts">
        <tbody>
          {FIGURES.map((k) => (
            <FigureRow key={k} name={k} figure={f?.[k]} />
          ))}
          {levels.map((k) => (
            <tr key={k} data-testid={`fact-${k}`}>
              <th scope="row">{t(`fact.${k}`)}</th>
              <td colSpan={2} className={f?.[k] ? '' : 'faint'}>
                {t(`${k}.${f?.[k] ?? 0}` as MessageKey)}
              </td>
            </tr>
          ))}
          {known.map((k) => (
            <tr key={k} data-testid={`fact-${k}`}>
              <th scope="row">{t(`fact.${k}`)}</th>
              <td colSpan={2}>
                <strong>{t(`tristate.${f?.[k] ?? 3}` as MessageKey)}</strong>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {unknown.length > 0 && (
        <p className="faint" data-testid="facts-unknown">
          {t('facts.unknown', { list: unknown.map((k) => t(`fact.${k}`)).join(' · ') })}
        </p>
      )}
      <SubstanceTable substances={incident.substances} />
    </Section>
  );
}

function FigureRow({ name, figure }: { name: (typeof FIGURES)[number]; figure: Figure | undefined }) {
  const { t } = useI18n();
  const now = useSpaceNow();
  const asOf = ms(figure?.asOfTime);
  return (
    <tr data-testid={`fact-${name}`}>
      <th scope="row">{t(`fact.${name}`)}</th>
      <td className={`num ${figure?.value === undefined ? 'faint' : ''}`}>
        <strong>{figure?.value === undefined ? t('common.unknown') : formatNumber(figure.value)}</strong>
        {figure?.value !== undefined && <span> {t(`cause.${figure.causedByPollution}` as MessageKey)}</span>}
      </td>
      <td className="faint">
        {figure?.value !== undefined && t(`figureStatus.${figure.status || 1}` as MessageKey)} {figure?.source}
        {asOf !== undefined && <span className="num"> {shortTime(asOf, now)}</span>}
      </td>
    </tr>
  );
}
