import { FigureStatus } from '../gen/proto/fenghuo/common/v1/common_pb';
import { useI18n, type MessageKey } from '../i18n';
import { ANSWERS, FIGURES, LEVELS, type FactsDraft, type LevelKey } from '../logic/facts';
import { TristateChoice } from '../ui/Choice';
import { SelectField } from '../ui/SelectField';
import { FigureField } from './FigureField';

const snake = (key: string): string => key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

interface Props {
  value: FactsDraft;
  onChange: (value: FactsDraft) => void;
  /** Verified figures can be told apart from heard ones. */
  withStatus?: boolean;
}

/** Harm so far, figure by figure, and the questions of the rule tables. */
export function FactsFields({ value, onChange, withStatus }: Props) {
  const { t } = useI18n();
  const statuses = [FigureStatus.HEARD, FigureStatus.VERIFIED, FigureStatus.EXCLUDED].map((v) => ({
    value: v,
    label: t(`figureStatus.${v}` as MessageKey),
  }));
  const levels = Object.entries(LEVELS) as [LevelKey, number][];
  return (
    <>
      <div className="figures">
        {FIGURES.map((key) => (
          <FigureField
            key={key}
            name={key}
            path={`facts.${snake(key)}`}
            label={t(`fact.${key}`)}
            value={value.figures[key]}
            statuses={withStatus ? statuses : null}
            onChange={(f) => onChange({ ...value, figures: { ...value.figures, [key]: f } })}
          />
        ))}
      </div>
      <div className="fields">
        {levels.map(([key, top]) => (
          <SelectField
            key={key}
            label={t(`fact.${key}`)}
            path={`facts.${snake(key)}`}
            value={value.levels[key]}
            options={Array.from({ length: top + 1 }, (_, n) => ({ value: n, label: t(`${key}.${n}` as MessageKey) }))}
            testId={key}
            onChange={(n) => onChange({ ...value, levels: { ...value.levels, [key]: n } })}
          />
        ))}
      </div>
      <div className="answers">
        {ANSWERS.map((key) => (
          <TristateChoice
            key={key}
            label={t(`fact.${key}`)}
            path={`facts.${snake(key)}`}
            value={value.answers[key]}
            testId={key}
            onChange={(n) => onChange({ ...value, answers: { ...value.answers, [key]: n } })}
          />
        ))}
      </div>
    </>
  );
}
