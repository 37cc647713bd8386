import { useEffect, useRef, type ReactNode } from 'react';
import type { Call } from '../api/useCall';
import { useI18n } from '../i18n';
import { useKeys } from '../keys/keys';
import { Button } from './Button';
import { FormProblem, ProblemBox } from './Problem';

interface Props {
  title: string;
  call: Call;
  sendLabel: string;
  onSend: () => void;
  onCancel: () => void;
  /** Why it cannot be sent yet; empty when it can. */
  blocked?: string;
  note?: ReactNode;
  testId: string;
  children: ReactNode;
}

/** A form that Ctrl+Enter sends and Escape leaves. What was typed is kept. */
export function FormBox({ title, call, sendLabel, onSend, onCancel, blocked, note, testId, children }: Props) {
  const { t } = useI18n();
  const box = useRef<HTMLFormElement>(null);
  const send = () => {
    if (!call.busy && !blocked) onSend();
  };
  useKeys(
    [
      { key: 'Ctrl+Enter', label: 'key.send', run: send, whileTyping: true },
      { key: 'Escape', label: 'key.back', run: onCancel, whileTyping: true },
    ],
    { within: box },
  );
  useEffect(() => {
    box.current?.scrollIntoView({ block: 'nearest' });
    if (!box.current?.contains(document.activeElement)) {
      box.current?.querySelector<HTMLElement>('input:not([type=radio]),input[type=radio]:checked,select,textarea')?.focus();
    }
  }, []);
  return (
    <form
      ref={box}
      className="form-box"
      aria-label={title}
      data-testid={`form-${testId}`}
      onSubmit={(e) => (e.preventDefault(), send())}
      noValidate
    >
      <h2>{title}</h2>
      <FormProblem value={call.problem}>
        {children}
        <ProblemBox problem={call.problem} />
      </FormProblem>
      {note && <div className="faint">{note}</div>}
      <div className="row form-foot">
        <Button
          type="submit"
          label={call.busy ? t('common.sending') : sendLabel}
          hint="Ctrl+Enter"
          tone="main"
          disabled={call.busy || !!blocked}
          testId={`send-${testId}`}
        />
        <Button label={t('common.back')} hint="Esc" onClick={onCancel} testId={`cancel-${testId}`} />
        {blocked && (
          <span className="faint" data-testid={`blocked-${testId}`}>
            {blocked}
          </span>
        )}
      </div>
    </form>
  );
}
