import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { applySettings } from './app/settings';
import './styles/base.css';
import './styles/controls.css';
import './styles/bar.css';
import './styles/desk.css';
import './styles/incident.css';
import './styles/forms.css';
import './styles/map.css';
import './styles/wall.css';

applySettings();
const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
