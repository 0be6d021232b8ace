CREATE TABLE fields (field_id INTEGER PRIMARY KEY, name TEXT, soil TEXT, area REAL, slope INTEGER);
CREATE TABLE harvests (harvest_id INTEGER PRIMARY KEY, field_id INTEGER, crop TEXT, year INTEGER, tons REAL,
FOREIGN KEY (field_id) REFERENCES fields(field_id));
CREATE TABLE workers (worker_id INTEGER PRIMARY KEY, name TEXT, task TEXT, hours INTEGER, field_id INTEGER,
FOREIGN KEY (field_id) REFERENCES fields(field_id));

INSERT INTO fields VALUES
(1, 'North Hill', 'clay', 12.5, 8),
(2, 'Mill Meadow', 'loam', 20.0, 2),
(3, 'Stone Corner', 'sand', 7.2, 5),
(4, 'Long Acre', 'loam', 31.4, 1),
(5, 'Fox Hollow', 'clay', 9.8, 12),
(6, 'River Bend', 'silt', 16.3, 0),
(7, 'Old Orchard', 'loam', 5.6, 4),
(8, 'South Hill', 'sand', 14.1, 9);

INSERT INTO harvests VALUES
(1, 1, 'wheat', 2020, 38.5),
(2, 2, 'maize', 2020, 92.0),
(3, 4, 'wheat', 2020, 110.4),
(4, 6, 'rice', 2020, 61.2),
(5, 1, 'barley', 2021, 33.1),
(6, 2, 'wheat', 2021, 71.9),
(7, 3, 'potato', 2021, 88.3),
(8, 4, 'maize', 2021, 140.7),
(9, 6, 'rice', 2021, 66.5),
(10, 7, 'apple', 2021, 24.8),
(11, 1, 'wheat', 2022, 41.0),
(12, 2, 'potato', 2022, 205.6),
(13, 4, 'barley', 2022, 98.2),
(14, 6, 'maize', 2022, 79.4),
(15, 7, 'apple', 2022, 29.3),
(16, 4, 'wheat', 2023, 121.5),
(17, 2, 'maize', 2022, 35.5),
(18, 3, 'oats', 2021, 22.7);

INSERT INTO workers VALUES
(1, 'Abel', 'plowing', 38, 1),
(2, 'Berta', 'picking', 25, 7),
(3, 'Cesar', 'watering', 30, 2),
(4, 'Delia', 'picking', 42, 4),
(5, 'Ernst', 'driving', 45, 4),
(6, 'Flora', 'watering', 18, 6),
(7, 'Gustav', 'plowing', 35, 4),
(8, 'Hilda', 'picking', 22, 3),
(9, 'Ivo', 'driving', 40, 2),
(10, 'Jana', 'weeding', 16, 2),
(11, 'Karl', 'picking', 28, 4),
(12, 'Lidia', 'weeding', 20, 6),
(13, 'Marek', 'plowing', 33, 8);
