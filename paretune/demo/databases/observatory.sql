CREATE TABLE telescopes (telescope_id INTEGER PRIMARY KEY, name TEXT, type TEXT, diameter INTEGER, built INTEGER);
CREATE TABLE stars (star_id INTEGER PRIMARY KEY, name TEXT, color TEXT, distance INTEGER, planets INTEGER);
CREATE TABLE observations (observation_id INTEGER PRIMARY KEY, telescope_id INTEGER, star_id INTEGER, astronomer TEXT,
hours INTEGER, FOREIGN KEY (telescope_id) REFERENCES telescopes(telescope_id),
FOREIGN KEY (star_id) REFERENCES stars(star_id));

INSERT INTO telescopes VALUES
(1, 'Falcon', 'mirror', 240, 1978),
(2, 'Heron', 'lens', 65, 1931),
(3, 'Osprey', 'mirror', 410, 2003),
(4, 'Swift', 'radio', 1500, 1989),
(5, 'Lark', 'lens', 40, 1912),
(6, 'Condor', 'mirror', 820, 2014),
(7, 'Plover', 'radio', 2200, 1996),
(8, 'Kestrel', 'mirror', 180, 1965);

INSERT INTO stars VALUES
(1, 'Maro', 'red', 12, 3),
(2, 'Talin', 'white', 58, 1),
(3, 'Oberis', 'blue', 430, 0),
(4, 'Keth', 'red', 27, 5),
(5, 'Suvala', 'yellow', 36, 7),
(6, 'Norra', 'blue', 910, 2),
(7, 'Phelan', 'red', 140, 4),
(8, 'Ziban', 'yellow', 75, 6),
(9, 'Quorra', 'red', 204, 0),
(10, 'Ilden', 'white', 19, 8);

INSERT INTO observations VALUES
(1, 1, 1, 'Ibarra', 6),
(2, 1, 4, 'Chen', 4),
(3, 3, 3, 'Ibarra', 9),
(4, 3, 5, 'Novak', 7),
(5, 6, 6, 'Osei', 11),
(6, 6, 5, 'Ibarra', 8),
(7, 4, 7, 'Chen', 14),
(8, 2, 2, 'Novak', 3),
(9, 6, 8, 'Osei', 10),
(10, 3, 1, 'Ibarra', 5),
(11, 7, 3, 'Chen', 16),
(12, 1, 5, 'Novak', 2),
(13, 6, 3, 'Osei', 12),
(14, 4, 6, 'Chen', 13),
(15, 6, 5, 'Ibarra', 15);
