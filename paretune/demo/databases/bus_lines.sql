CREATE TABLE routes (route_id INTEGER PRIMARY KEY, color TEXT, company TEXT, length REAL, fare REAL);
CREATE TABLE stops (stop_id INTEGER PRIMARY KEY, name TEXT, district TEXT, benches INTEGER, route_id INTEGER,
FOREIGN KEY (route_id) REFERENCES routes(route_id));
CREATE TABLE drivers (driver_id INTEGER PRIMARY KEY, name TEXT, license_year INTEGER, trips INTEGER, route_id INTEGER,
FOREIGN KEY (route_id) REFERENCES routes(route_id));

INSERT INTO routes VALUES
(10, 'red', 'Metrobus', 14.2, 3.5),
(12, 'blue', 'Rapido', 22.8, 4.2),
(15, 'green', 'Metrobus', 9.6, 2.9),
(20, 'orange', 'Litoral', 31.5, 5.8),
(23, 'purple', 'Rapido', 17.3, 3.9),
(27, 'white', 'Metrobus', 6.4, 2.5),
(31, 'yellow', 'Litoral', 26.1, 5.1),
(44, 'silver', 'Serra', 40.7, 7.4);

INSERT INTO stops VALUES
(1, 'Central Market', 'Centro', 6, 10),
(2, 'Old Harbour', 'Porto Velho', 3, 10),
(3, 'City Hall', 'Centro', 5, 12),
(4, 'University Gate', 'Campus', 8, 12),
(5, 'Botanic Garden', 'Campus', 4, 15),
(6, 'Airport Road', 'Varzea', 2, 12),
(7, 'Lighthouse Square', 'Praia', 7, 20),
(8, 'Fish Pier', 'Porto Velho', 1, 20),
(9, 'Stadium', 'Varzea', 9, 23),
(10, 'School Square', 'Campus', 3, 23),
(11, 'Beach Corner', 'Praia', 5, 31),
(12, 'Dune Park', 'Praia', 2, 20),
(13, 'Theater', 'Centro', 4, 15),
(14, 'Casino Bridge', 'Praia', 0, 20);

INSERT INTO drivers VALUES
(1, 'Amaro', 1998, 640, 10),
(2, 'Bettina', 2012, 310, 12),
(3, 'Celso', 2005, 520, 12),
(4, 'Dagmar', 2018, 150, 15),
(5, 'Eusebio', 1991, 780, 20),
(6, 'Florence', 2009, 405, 20),
(7, 'Gino', 2020, 90, 23),
(8, 'Hortensia', 2001, 575, 31),
(9, 'Ismael', 2015, 240, 12),
(10, 'Jadwiga', 2011, 365, 31),
(11, 'Kofi', 2022, 45, 27);
