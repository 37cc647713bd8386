import { useEffect, useRef, type ReactNode } from 'react';
import { useI18n } from '../i18n';
import { useKeys } from '../keys/keys';
import { Button } from './Button';

/** A page laid over the desk. Escape leaves it, and the focus goes back to where it was. */
export function Overlay(props: { title: string; onClose: () => void; testId: string; children: ReactNode }) {
  const { t } = useI18n();
  const box = useRef<HTMLDialogElement>(null);
  useKeys([{ key: 'Escape', label: 'key.back', run: props.onClose, whileTyping: true }], { modal: true });
  useEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={box}
      className="overlay"
      aria-label={props.title}
      data-testid={props.testId}
      onCancel={(e) => (e.preventDefault(), props.onClose())}
    >
      <header className="row spread">
        <h2>{props.title}</h2>
        <Button label={t('common.close')} hint="Esc" onClick={props.onClose} testId={`${props.testId}-close`} />
      </header>
      <div className="overlay-body">{props.children}</div>
    </dialog>
  );
}
