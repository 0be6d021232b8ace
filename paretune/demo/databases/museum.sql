CREATE TABLE halls (hall_id INTEGER PRIMARY KEY, name TEXT, theme TEXT, floor INTEGER, visitors INTEGER);
CREATE TABLE objects (object_id INTEGER PRIMARY KEY, title TEXT, material TEXT, origin TEXT, year INTEGER,
worth INTEGER, hall_id INTEGER, FOREIGN KEY (hall_id) REFERENCES halls(hall_id));
CREATE TABLE guides (guide_id INTEGER PRIMARY KEY, name TEXT, specialty TEXT, tours INTEGER, hall_id INTEGER,
FOREIGN KEY (hall_id) REFERENCES halls(hall_id));

INSERT INTO halls VALUES
(1, 'East Wing', 'antiquity', 1, 920),
(2, 'Mirror Hall', 'royalty', 2, 1340),
(3, 'Iron Gallery', 'industry', 1, 560),
(4, 'Silk Room', 'fashion', 2, 810),
(5, 'North Vault', 'antiquity', 0, 430),
(6, 'Map Room', 'travel', 3, 385),
(7, 'Sky Gallery', 'travel', 3, 675),
(8, 'Quiet Chapel', 'religion', 1, 240);

INSERT INTO objects VALUES
(1, 'Lion Mask', 'bronze', 'Benin', 1560, 42000, 1),
(2, 'Grain Jar', 'clay', 'Egypt', -450, 18000, 5),
(3, 'Queen Necklace', 'gold', 'Spain', 1712, 95000, 2),
(4, 'Steam Valve', 'iron', 'England', 1841, 3200, 3),
(5, 'River Robe', 'silk', 'China', 1780, 27000, 4),
(6, 'Sailor Compass', 'bronze', 'Portugal', 1602, 15500, 6),
(7, 'Marble Owl', 'marble', 'Greece', -320, 61000, 1),
(8, 'Crown of Reeds', 'gold', 'Peru', 1430, 88000, 2),
(9, 'Wedding Fan', 'silk', 'Japan', 1865, 6400, 4),
(10, 'Star Globe', 'brass', 'Italy', 1658, 33000, 6),
(11, 'Oil Lamp', 'clay', 'Greece', -210, 2100, 5),
(12, 'Weaving Loom', 'iron', 'England', 1822, 7800, 3),
(13, 'Sun Disk', 'gold', 'Egypt', -980, 120000, 1),
(14, 'Palace Mirror', 'bronze', 'Spain', 1735, 24500, 2),
(15, 'Clay Horse', 'clay', 'China', 640, 36000, 5),
(16, 'Bronze Bell', 'bronze', 'Japan', 1504, 29500, 1);

INSERT INTO guides VALUES
(1, 'Augusta', 'pottery', 64, 5),
(2, 'Basil', 'jewels', 112, 2),
(3, 'Corina', 'machines', 38, 3),
(4, 'Dimitri', 'sculpture', 91, 1),
(5, 'Esther', 'textiles', 57, 4),
(6, 'Fabio', 'jewels', 45, 2),
(7, 'Gwen', 'maps', 73, 6),
(8, 'Heitor', 'pottery', 29, 1),
(9, 'Ida', 'textiles', 80, 4),
(10, 'Joaquim', 'jewels', 103, 2),
(11, 'Kaspar', 'maps', 22, 7);
