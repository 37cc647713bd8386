import { useI18n, type MessageKey } from '../i18n';
import { Kbd } from '../ui/Kbd';

const KEYS: readonly [string, MessageKey][] = [
  ['n', 'key.report'],
  ['j', 'key.next'],
  ['k', 'key.previous'],
  ['Enter', 'key.open'],
  ['/', 'key.search'],
  ['m', 'key.mapList'],
  ['?', 'key.help'],
];

/** No incident is open: how to go on. */
export function NoIncident() {
  const { t } = useI18n();
  return (
    <div className="empty" data-testid="no-incident">
      <p>{t('incident.none')}</p>
      <table className="keys-short">
        <tbody>
          {KEYS.map(([key, label]) => (
            <tr key={key}>
              <td>
                <Kbd>{key}</Kbd>
              </td>
              <td>{t(label)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
