import { useRef } from 'react';
import { useI18n } from '../i18n';
import { useKeys } from '../keys/keys';
import { Button } from './Button';

interface Props {
  /** What will happen, to whom. */
  sentence: string;
  confirmLabel: string;
  busy: boolean;
  onConfirm: () => void;
  onCancel: () => void;
  testId: string;
}

/** The question before something that cannot be taken back. Two keys at least lead through it. */
export function ConfirmBar({ sentence, confirmLabel, busy, onConfirm, onCancel, testId }: Props) {
  const { t } = useI18n();
  const box = useRef<HTMLDivElement>(null);
  useKeys(
    [
      { key: 'Ctrl+Enter', label: 'key.confirm', run: () => !busy && onConfirm(), whileTyping: true },
      { key: 'Escape', label: 'key.back', run: onCancel, whileTyping: true },
    ],
    { within: box },
  );
  return (
    <div ref={box} className="confirm" role="alertdialog" aria-label={t('common.confirm')} data-testid={`confirm-${testId}`}>
      <p data-testid={`confirm-sentence-${testId}`}>{sentence}</p>
      <span className="row">
        <Button label={confirmLabel} hint="Ctrl+Enter" tone="main" disabled={busy} onClick={onConfirm} testId={`confirm-yes-${testId}`} />
        <Button label={t('common.back')} hint="Esc" onClick={onCancel} testId={`confirm-no-${testId}`} autoFocus />
      </span>
    </div>
  );
}
