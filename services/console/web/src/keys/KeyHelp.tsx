import { useState } from 'react';
import { useI18n } from '../i18n';
import { Kbd } from '../ui/Kbd';
import { Overlay } from '../ui/Overlay';
import { layers } from './keys';

/** All keys that work where the officer is now, nearest first. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  const [bindings] = useState(() => {
    const known = new Map(
      [...layers.get()]
        .reverse()
        .flatMap((layer) => layer.current.map((b) => [b.key, b.label] as const))
        .reverse(),
    );
    // Enter is the button's own.
    return [['Enter', 'key.open'] as const, ...[...known].reverse()];
  });
  return (
    <Overlay title={t('key.title')} onClose={onClose} testId="key-help">
      <table className="keys">
        <tbody>
          {bindings.map(([key, label]) => (
            <tr key={key}>
              <td>
                <Kbd>{key}</Kbd>
              </td>
              <td>{t(label)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="faint">{t('key.note')}</p>
    </Overlay>
  );
}
