/** The visualizers' styles in their order: frame, picture, controls, and last how they adapt. Loaded with the first visualizer. */
import "./visualizer.css";
import "./picture.css";
import "./rulers.css";
import "./controls.css";
import "./adapt.css";
