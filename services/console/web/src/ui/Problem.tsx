import { createContext, useContext } from 'react';
import { violationAt, type Problem } from '../api/errors';
import { saidOf } from '../api/violations';
import { useI18n, type I18n, type MessageKey } from '../i18n';
import { zh } from '../i18n/zh';

const Context = createContext<Problem | null>(null);

/** Makes the last refusal known to the fields of a form. */
export const FormProblem = Context.Provider;

export function useViolation(path: string | undefined): string | undefined {
  const { t } = useI18n();
  const problem = useContext(Context);
  const text = path === undefined ? undefined : violationAt(problem, path);
  return text === undefined ? undefined : said(text, t);
}

/** In the words of the catalogue where it has them. */
function said(text: string, t: I18n['t']): string {
  const known = saidOf(text);
  return known ? t(known.key, known.params) : text;
}

const ROLES: readonly [RegExp, MessageKey][] = [
  [/viewer/i, 'role.1'],
  [/duty[-_ ]officer/i, 'role.2'],
  [/commander/i, 'role.3'],
  [/liaison/i, 'role.4'],
  [/administrator/i, 'role.5'],
];

/** The roles that a refusal names, in the words of the page. */
function rolesIn(text: string, t: I18n['t']): string {
  return ROLES.filter(([word]) => word.test(text))
    .map(([, key]) => t(key))
    .join(' / ');
}

function whatToDo(problem: Problem): MessageKey {
  const byReason = `error.${problem.reason}`;
  if (problem.reason !== '' && byReason in zh) return byReason as MessageKey;
  if (problem.unreachable) return 'error.unreachable';
  const byCode = `error.${problem.code}`;
  return byCode in zh ? (byCode as MessageKey) : 'error.other';
}

/** A refusal: what to do next in the officer's words, what the server said, and the code for the engineer. */
export function ProblemBox({ problem, fields }: { problem: Problem | null; fields?: boolean }) {
  const { t } = useI18n();
  if (!problem) return null;
  return (
    <div className="problem" role="alert" data-testid="problem" data-reason={problem.reason} data-code={problem.code}>
      <p>
        <strong>✕ {t(whatToDo(problem))}</strong>
      </p>
      {problem.message !== '' && problem.violations.length === 0 && !problem.unreachable && !(`error.${problem.reason}` in zh) && (
        <p className="faint" data-testid="problem-message">
          {problem.message}
        </p>
      )}
      {problem.metadata['roles'] && <p data-testid="problem-roles">{t('error.roles', { roles: rolesIn(problem.metadata['roles'], t) })}</p>}
      {fields !== false && problem.violations.length > 0 && (
        <ul>
          {problem.violations.map((v) => (
            <li key={v.field + v.text} data-testid="violation" data-field={v.field}>
              {said(v.text, t)} <span className="mono faint">{v.field}</span>
            </li>
          ))}
        </ul>
      )}
      <p className="faint mono" data-testid="problem-code">
        {problem.reason || problem.code}
      </p>
    </div>
  );
}
