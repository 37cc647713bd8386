import { useId, useState } from 'react';
import { useI18n } from '../i18n';
import { divisionOf, fullName, searchDivisions } from '../logic/districts';
import { Field } from './Field';

interface Props {
  label: string;
  code: string;
  onChange: (code: string) => void;
  /** Code of the province whose districts come first. */
  home: string;
  testId: string;
  path?: string;
  required?: boolean;
  autoFocus?: boolean;
}

/** A county-level unit, found by typing its name in Chinese or in letters, or its code. */
export function DistrictPicker({ label, code, onChange, home, testId, path, required, autoFocus }: Props) {
  const { t, lang } = useI18n();
  const listId = useId();
  const [typed, setTyped] = useState<string | null>(null);
  const [at, setAt] = useState(0);
  const shown = typed ?? (code ? fullName(code, lang) : '');
  const found = typed === null ? [] : searchDivisions(typed, home);
  const active = found[Math.min(at, found.length - 1)];

  const choose = (chosen: string) => {
    onChange(chosen);
    setTyped(null);
  };
  const move = (step: number) => setAt((n) => Math.min(Math.max(n + step, 0), Math.max(found.length - 1, 0)));
  const onKeyDown = (e: React.KeyboardEvent) => {
    if (typed === null) {
      if (e.key === 'ArrowDown') setTyped('');
      return;
    }
    if (e.key === 'ArrowDown') move(1);
    else if (e.key === 'ArrowUp') move(-1);
    else if (e.key === 'Enter' && !e.ctrlKey && !e.metaKey && active) choose(active.code);
    else if (e.key === 'Escape') setTyped(null);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  // Leaving the field takes what is marked, as the tab key does in every list; nothing typed leaves it as it was.
  const onBlur = () => {
    if (typed !== null && typed.trim() !== '' && active) choose(active.code);
    else {
      if (typed !== null && typed.trim() === '') onChange('');
      setTyped(null);
    }
  };

  const note = code ? <span className="faint num">{code}</span> : <span className="faint">{t('place.how')}</span>;
  const nothing = typed !== null && typed.trim() !== '' && found.length === 0 ? t('place.none') : undefined;
  const old = divisionOf(code)?.old ? t('place.abolished') : undefined;
  return (
    <Field label={label} testId={testId} note={old ?? note} wrong={nothing} {...(path ? { path } : {})} {...(required ? { required } : {})}>
      {({ id, describedBy, invalid }) => (
        <span className="picker">
          <input
            id={id}
            type="text"
            role="combobox"
            aria-expanded={found.length > 0}
            aria-controls={listId}
            aria-autocomplete="list"
            aria-activedescendant={active ? `${listId}-${active.code}` : undefined}
            aria-describedby={describedBy}
            aria-invalid={invalid}
            aria-required={required}
            autoComplete="off"
            autoFocus={autoFocus}
            value={shown}
            data-testid={`input-${testId}`}
            data-code={code}
            onFocus={(e) => e.target.select()}
            onChange={(e) => (setTyped(e.target.value), setAt(0))}
            onKeyDown={onKeyDown}
            onBlur={onBlur}
          />
          {found.length > 0 && (
            <ul id={listId} role="listbox" aria-label={label} className="picker-list" data-testid={`list-${testId}`}>
              {found.map((d) => (
                <li
                  key={d.code}
                  id={`${listId}-${d.code}`}
                  role="option"
                  aria-selected={d === active}
                  onMouseDown={(e) => (e.preventDefault(), choose(d.code))}
                >
                  {fullName(d.code, lang)} <span className="faint num">{d.code}</span>
                  {d.old && <span className="faint"> {t('place.abolished')}</span>}
                </li>
              ))}
            </ul>
          )}
        </span>
      )}
    </Field>
  );
}
